/** Reads serialised header lists that filters pass, and checks names and values of fields. */
import { limits } from '../limits.js';
import { HeaderMap } from './header-map.js';

/**
 * Copies a serialised list into a map. Size 0, one zero byte and four zero bytes are the empty
 * list. @returns null where a count or a length leads beyond the range, or a limit is passed
 */
export function readPairs(bytes: Uint8Array): HeaderMap | null {
  const map = new HeaderMap();
  if (bytes.length === 0 || (bytes.length === 1 && bytes[0] === 0)) return map;
  if (bytes.length < 4 || bytes.length > limits.filterMapBytes.value) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = view.getUint32(0, true);
  if (count > limits.filterMapPairs.value || 4 + 10 * count > bytes.length) return null;
  let at = 4 + 8 * count;
  for (let i = 0; i < count; i++) {
    const nameLength = view.getUint32(4 + 8 * i, true);
    const valueLength = view.getUint32(8 + 8 * i, true);
    if (at + nameLength + valueLength + 2 > bytes.length) return null;
    const valueAt = at + nameLength + 1;
    map.append(bytes.subarray(at, at + nameLength), bytes.subarray(valueAt, valueAt + valueLength));
    at = valueAt + valueLength + 1;
  }
  return map;
}

/** True for a token (RFC 9110 5.6.2). */
export function isToken(bytes: Uint8Array, at = 0, length = bytes.length): boolean {
  for (let i = at; i < at + length; i++) if (tokenClass[bytes[i]] === 0) return false;
  return length > 0;
}

/** True for a field value without CR, LF, NUL and the other control characters but tab. */
export function isValue(bytes: Uint8Array, at = 0, length = bytes.length): boolean {
  for (let i = at; i < at + length; i++) {
    const code = bytes[i];
    if ((code < 32 && code !== 9) || code === 127) return false;
  }
  return true;
}

/** True where bytes are the name `text`, in any case. */
export function isNamed(text: string, bytes: Uint8Array, at = 0, length = bytes.length): boolean {
  if (length !== text.length) return false;
  for (let i = 0; i < length; i++) {
    const a = text.charCodeAt(i);
    const b = bytes[at + i];
    if (a !== b && lower(a) !== lower(b)) return false;
  }
  return true;
}

/**
 * Names of fields of framing and of the connection: filters may write them, the wire never sees
 * that.
 */
export function isFraming(bytes: Uint8Array, at: number, length: number): boolean {
  const names = framing[length];
  if (names === undefined) return false;
  for (const name of names) if (isNamed(name, bytes, at, length)) return true;
  return false;
}

/** By their length. */
const framing: readonly (readonly string[] | undefined)[] = Object.assign([], {
  2: ['te'],
  7: ['trailer', 'upgrade'],
  10: ['connection', 'keep-alive'],
  14: ['content-length'],
  16: ['proxy-connection'],
  17: ['transfer-encoding'],
});

const lower = (code: number): number => (code >= 65 && code <= 90 ? code + 32 : code);

/** True for a request target that fits into a request line. */
export function isTarget(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] <= 32 || bytes[i] === 127) return false;
  return bytes.length > 0;
}

/** The number in three digits, 0 where it is no status that an answer may have. */
export function statusOf(bytes: Uint8Array): number {
  if (bytes.length !== 3) return 0;
  const status = Number(Buffer.from(bytes).latin1Slice(0, 3));
  return /^[2-5]\d\d$/.test(String(status)) ? status : 0;
}

const tokenClass = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
  tokenClass[char.charCodeAt(0)] = 1;
  tokenClass[char.toUpperCase().charCodeAt(0)] = 1;
}
