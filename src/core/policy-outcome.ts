/** What a policy has done of an access phase before the shell goes on with the rest. */
import type { EditList } from './exchange-edits.js';
import type { Core } from './instance.js';
import { Edit, PhaseView, Region } from './layout.js';
import { ShortTexts } from './short-text.js';

const viewAt = Region.phaseView.offset >> 2;
const texts = new ShortTexts();

/** Access steps of the plan, from the first, that have run. In the access phase only. */
export const ranSteps = (core: Core): number => core.u32[viewAt + PhaseView.ranSteps / 4];

/** Place + 1 of the credential that they found, 0: none. */
export const ranCredential = (core: Core): number => core.u32[viewAt + PhaseView.ranCredential / 4];

/** Appends the edits that they made. */
export function readRanEdits(core: Core, upstream: EditList, client: EditList): void {
  const { u32 } = core;
  readEdits(core, Region.edits.offset, u32[viewAt + PhaseView.ranEdits / 4], upstream);
  const at = u32[viewAt + PhaseView.ranClientEdits / 4];
  readEdits(core, at, u32[viewAt + PhaseView.ranClientEditCount / 4], client);
}

function readEdits(core: Core, from: number, count: number, into: EditList): void {
  const { u32 } = core;
  let at = from;
  for (let i = 0; i < count; i++) {
    const nameLength = u32[(at + Edit.nameLength) >> 2];
    const valueLength = u32[(at + Edit.valueLength) >> 2];
    const name = texts.read(core, at + Edit.size, nameLength);
    const value = texts.read(core, at + Edit.size + nameLength, valueLength);
    into.push(u32[(at + Edit.op) >> 2], name, value);
    at = (at + Edit.size + nameLength + valueLength + 3) & ~3;
  }
}
