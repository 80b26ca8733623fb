/**
 * Writes what plugins decided into the regions that the core reads after a phase: header, path,
 * query, method and status edits, or a whole answer.
 */
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { Core } from './instance.js';
import { Control, Edit, EditOp, PhaseView, Region, Reply } from './layout.js';

const countAt = (Region.control.offset + Control.editCount) >> 2;
const viewAt = Region.phaseView.offset >> 2;

/** Lists no longer and with no more text than this keep their memory for the next exchange. */
const keptEdits = 16;
const keptText = 4096;

/**
 * Edits of one phase, in the order they were made; reused over requests. What lies behind `count`
 * is left over from earlier ones.
 */
export class EditList {
  readonly ops: number[] = [];
  readonly names: string[] = [];
  readonly values: string[] = [];
  count = 0;
  /** Characters of names and values. */
  text = 0;

  push(op: number, name: string, value: string): void {
    const at = this.count++;
    this.ops[at] = op;
    this.names[at] = name;
    this.values[at] = value;
    this.text += name.length + value.length;
  }

  clear(): void {
    if (this.count > keptEdits || this.text > keptText) {
      this.ops.length = this.names.length = this.values.length = 0;
    }
    this.count = this.text = 0;
  }

  /** Value of the last edit with this op; undefined: there is none. */
  last(op: number): string | undefined {
    for (let i = this.count - 1; i >= 0; i--) if (this.ops[i] === op) return this.values[i];
    return undefined;
  }

  /**
   * What the edits make of a field: its first new value, null where it was removed, undefined where
   * no SET or REMOVE names it. `name` in lower case.
   */
  effect(name: string): string | null | undefined {
    let effect: string | null | undefined;
    for (let i = 0; i < this.count; i++) {
      const op = this.ops[i];
      if (op > EditOp.REMOVE || this.names[i].toLowerCase() !== name) continue;
      if (op === EditOp.REMOVE) effect = null;
      else if (op === EditOp.SET || effect === null) effect = this.values[i];
    }
    return effect;
  }
}

/**
 * Puts edits into the edits region and their number into Control.
 * @throws GatewayError GW_E_REPLY_TOO_LARGE above limits.editBytes; nothing is left to apply then
 */
export function writeEdits(core: Core, edits: EditList): void {
  core.u32[countAt] = 0;
  if (edits.count === 0) return;
  putEdits(core, edits, Region.edits.offset);
  core.u32[countAt] = edits.count;
}

/**
 * Puts the edits of an exchange that the shell is done with into the edits region, those toward the
 * client behind those toward the upstream: the core keeps them until the answer.
 * @throws GatewayError as `writeEdits`
 */
export function writeBothEdits(core: Core, upstream: EditList, client: EditList): void {
  const { u32 } = core;
  u32[countAt] = 0;
  const from = putEdits(core, upstream, Region.edits.offset);
  const end = putEdits(core, client, from);
  u32[countAt] = upstream.count;
  u32[viewAt + PhaseView.clientEdits / 4] = from;
  u32[viewAt + PhaseView.clientEditBytes / 4] = end - from;
  u32[viewAt + PhaseView.clientEditCount / 4] = client.count;
}

/** Writes a list at `from`; returns its end. */
function putEdits(core: Core, edits: EditList, from: number): number {
  const { u32 } = core;
  let at = from;
  const end = Region.edits.offset + limits.editBytes.value;
  for (let i = 0; i < edits.count; i++) {
    const name = edits.names[i];
    const value = edits.values[i];
    const bytes = Edit.size + name.length + value.length;
    if (at + bytes > end) {
      throw new GatewayError(
        'GW_E_REPLY_TOO_LARGE',
        `edits exceed ${limits.editBytes.value} bytes`,
      );
    }
    u32[(at + Edit.op) >> 2] = edits.ops[i];
    u32[(at + Edit.nameLength) >> 2] = name.length;
    u32[(at + Edit.valueLength) >> 2] = value.length;
    putText(core, name, at + Edit.size);
    putText(core, value, at + Edit.size + name.length);
    at = (at + bytes + 3) & ~3;
  }
  return at;
}

/** A call of `latin1Write` costs as much as writing so many characters. */
const shortText = 48;

function putText({ u8, buffer }: Core, text: string, at: number): void {
  if (text.length > shortText) buffer.latin1Write(text, at);
  else for (let i = 0; i < text.length; i++) u8[at + i] = text.charCodeAt(i);
}

/** Room for the status line and the empty line of a head. */
const statusLineBytes = 128;

/**
 * Puts an answer into the reply region. `lines` are header lines with their CRLF; `proxied`: an
 * upstream gave it once, and it has the headers of proxied answers.
 * @throws GatewayError GW_E_REPLY_TOO_LARGE where the lines do not fit into a head, or above
 * limits.replyBodyBytes
 */
export function writeReply(
  core: Core,
  status: number,
  lines: string,
  body: Uint8Array,
  proxied = false,
): void {
  const linesMax = limits.responseHeadBytes.value - statusLineBytes;
  if (lines.length > linesMax || body.length > limits.replyBodyBytes.value) {
    throw new GatewayError('GW_E_REPLY_TOO_LARGE', 'the answer of a plugin is too large');
  }
  const at = Region.reply.offset;
  core.u32[(at + Reply.status) >> 2] = status;
  core.u32[(at + Reply.headerBytes) >> 2] = lines.length;
  core.u32[(at + Reply.bodyBytes) >> 2] = body.length;
  core.u32[(at + Reply.proxied) >> 2] = proxied ? 1 : 0;
  core.buffer.latin1Write(lines, at + Reply.size);
  core.u8.set(body, at + Reply.size + lines.length);
}
