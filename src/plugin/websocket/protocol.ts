/** What RFC 6455 says about frames, for both ends of a direction. */
import { isUtf8 } from 'node:buffer';
import type { WebSocketFrame } from '../context-types.js';

/** Close codes that the gateway itself sends (RFC 6455 7.4.1). */
export const Status = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  PROTOCOL_ERROR: 1002,
  NOT_UTF8: 1007,
  TOO_BIG: 1009,
  INTERNAL_ERROR: 1011,
} as const;

/** Payload of a control frame (RFC 6455 5.5). */
export const controlBytes = 125;

export const opcodeTypes: Readonly<Record<number, WebSocketFrame['type']>> = {
  1: 'text',
  2: 'binary',
  8: 'close',
  9: 'ping',
  10: 'pong',
};

export const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A peer broke the protocol; `status` is what it is told. */
export class SocketFault extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Codes that may stand in a close frame (RFC 6455 7.4, and those registered since). */
export const isCloseStatus = (status: number): boolean =>
  (status >= 1000 && status <= 1014 && ![1004, 1005, 1006].includes(status)) ||
  (status >= 3000 && status <= 4999);

/** What is wrong with the payload of a close frame, or null. */
export function closeFault(data: Uint8Array): SocketFault | null {
  if (data.length === 0) return null;
  const status = data.length === 1 ? 0 : (data[0] << 8) | data[1];
  if (!isCloseStatus(status)) {
    return new SocketFault(Status.PROTOCOL_ERROR, 'a close frame has no valid status');
  }
  if (isUtf8(data.subarray(2))) return null;
  return new SocketFault(Status.NOT_UTF8, 'the reason of a close frame is not UTF-8');
}
