/** Puts frames together (RFC 6455 5.2): every message in one, masked toward an upstream. */
import { randomFillSync } from 'node:crypto';
import type { BodyQueue } from '../body-queue.js';
import type { WebSocketFrame } from '../context-types.js';
import { opcodes } from './protocol.js';

/** Random bytes for masks, drawn in one go. */
const masks = new Uint8Array(4096);
let nextMask = masks.length;

/** Queues a frame; its bytes must not be written to afterwards. */
export function putFrame(queue: BodyQueue, frame: WebSocketFrame, masked: boolean): void {
  const { type, data, status } = frame;
  const lead = type === 'close' && status !== null ? 2 : 0;
  const length = data.length + lead;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const payloadAt = 2 + extra + (masked ? 4 : 0);
  // Without a mask the payload goes as it is; short ones are cheaper in one piece.
  const joined = masked || length < 1024;
  const bytes = new Uint8Array(payloadAt + (joined ? length : lead));
  bytes[0] = 0x80 | opcodes[type];
  bytes[1] = (masked ? 0x80 : 0) | (extra === 0 ? length : extra === 2 ? 126 : 127);
  const view = new DataView(bytes.buffer);
  if (extra === 2) view.setUint16(2, length);
  else if (extra === 8) view.setBigUint64(2, BigInt(length));
  if (lead > 0) view.setUint16(payloadAt, status ?? 0);
  if (joined) bytes.set(data, payloadAt + lead);
  if (masked) mask(bytes, payloadAt);
  queue.push(bytes);
  if (!joined) queue.push(data);
}

/** Draws a mask, puts it before the payload and applies it. */
function mask(bytes: Uint8Array, payloadAt: number): void {
  if (nextMask === masks.length) {
    randomFillSync(masks);
    nextMask = 0;
  }
  const key = payloadAt - 4;
  for (let i = 0; i < 4; i++) bytes[key + i] = masks[nextMask++];
  for (let i = payloadAt; i < bytes.length; i++) bytes[i] ^= bytes[key + ((i - payloadAt) & 3)];
}
