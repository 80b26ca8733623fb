/**
 * Writes what plugins decided into the regions that the core reads after a phase: header, path,
 * query, method and status edits, or a whole answer.
 */
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { Core } from './instance.js';
import { Control, Edit, EditOp, Region, Reply } from './layout.js';

const countAt = (Region.control.offset + Control.editCount) >> 2;

/** Edits of one phase, in the order they were made; reused over requests. */
export class EditList {
  readonly ops: number[] = [];
  readonly names: string[] = [];
  readonly values: string[] = [];

  get count(): number {
    return this.ops.length;
  }

  push(op: number, name: string, value: string): void {
    this.ops.push(op);
    this.names.push(name);
    this.values.push(value);
  }

  /** Takes over another list's edits, behind its own. */
  append(other: EditList): void {
    for (let i = 0; i < other.count; i++) this.push(other.ops[i], other.names[i], other.values[i]);
  }

  clear(): void {
    this.ops.length = 0;
    this.names.length = 0;
    this.values.length = 0;
  }

  /**
   * What the edits make of a field: its first new value, null where it was removed, undefined where
   * no SET or REMOVE names it. `name` in lower case.
   */
  effect(name: string): string | null | undefined {
    let effect: string | null | undefined;
    for (let i = 0; i < this.ops.length; i++) {
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
  const { u32, buffer } = core;
  u32[countAt] = 0;
  const count = edits.count;
  if (count === 0) return;
  let at: number = Region.edits.offset;
  const end = at + limits.editBytes.value;
  for (let i = 0; i < count; i++) {
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
    buffer.latin1Write(name, at + Edit.size);
    buffer.latin1Write(value, at + Edit.size + name.length);
    at = (at + bytes + 3) & ~3;
  }
  u32[countAt] = count;
}

/** Room for the status line and the empty line of a head. */
const statusLineBytes = 128;

/**
 * Puts an answer into the reply region. `lines` are header lines with their CRLF.
 * @throws GatewayError GW_E_REPLY_TOO_LARGE where the lines do not fit into a head, or above
 * limits.replyBodyBytes
 */
export function writeReply(core: Core, status: number, lines: string, body: Uint8Array): void {
  const linesMax = limits.responseHeadBytes.value - statusLineBytes;
  if (lines.length > linesMax || body.length > limits.replyBodyBytes.value) {
    throw new GatewayError('GW_E_REPLY_TOO_LARGE', 'the answer of a plugin is too large');
  }
  const at = Region.reply.offset;
  core.u32[(at + Reply.status) >> 2] = status;
  core.u32[(at + Reply.headerBytes) >> 2] = lines.length;
  core.u32[(at + Reply.bodyBytes) >> 2] = body.length;
  core.buffer.latin1Write(lines, at + Reply.size);
  core.u8.set(body, at + Reply.size + lines.length);
}
