/**
 * A batch of records in the form that a sink takes. A reload may change the sink of a queue while
 * entries of the form before it are being sent or repeated.
 */
import { arrayOf } from '../core/log-text.js';
import type { LogEntry } from '../plugin/log-types.js';

type Batch = readonly unknown[];

/** One JSON array in UTF-8. */
export function asArray(batch: Batch): Uint8Array {
  return arrayOf(batch) ?? joinTexts(asTexts(batch));
}

/** The JSON text of each record. */
export function asTexts(batch: Batch): readonly Uint8Array[] {
  const array = arrayOf(batch);
  const entries = array ? parse<unknown[]>(array) : batch;
  if (entries[0] instanceof Uint8Array) return entries as readonly Uint8Array[];
  return entries.map((entry) => Buffer.from(JSON.stringify(entry)));
}

/** Records, or what the sink's own `decode` made of them. */
export function asObjects(batch: Batch): readonly LogEntry[] {
  const array = arrayOf(batch);
  if (array) return parse<LogEntry[]>(array);
  if (!(batch[0] instanceof Uint8Array)) return batch as readonly LogEntry[];
  return (batch as readonly Uint8Array[]).map((text) => parse<LogEntry>(text));
}

/** `[text,text]` in one piece of memory. */
export function joinTexts(texts: readonly Uint8Array[]): Uint8Array {
  const size = texts.reduce((sum, text) => sum + text.byteLength + 1, 1);
  const body = Buffer.allocUnsafe(Math.max(size, 2));
  body[0] = 0x5b;
  let at = 1;
  for (const text of texts) {
    body.set(text, at);
    at += text.byteLength;
    body[at++] = 0x2c;
  }
  body[body.length - 1] = 0x5d;
  return body;
}

const parse = <T>(text: Uint8Array): T => {
  const { buffer, byteOffset, byteLength } = text;
  return JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString()) as T;
};
