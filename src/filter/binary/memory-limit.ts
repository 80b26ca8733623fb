/**
 * Bounds the memory of a module before it is compiled. The engine has no limit per instance, so
 * the maximum in the module's memory section is set to what the host allows: `memory.grow` beyond
 * it then answers -1, as it does for any module whose own maximum is reached.
 */
import { BinaryReader, pushUnsigned, SectionId, sectionsOf } from './reader.js';

export interface Bounded {
  readonly bytes: Uint8Array;
  /** Pages of 64 KiB that the module needs at start. */
  readonly minPages: number;
  readonly maxPages: number;
}

const hasMaximum = 1;

/**
 * Rewrites the memory section to a maximum of min(declared, `pagesMax`).
 * @returns null where the module defines no memory, or not exactly one
 * @throws RangeError for damaged bytes
 */
export function boundMemory(bytes: Uint8Array, pagesMax: number): Bounded | null {
  const section = sectionsOf(bytes).find(({ id }) => id === SectionId.MEMORY);
  if (!section) return null;
  const reader = new BinaryReader(bytes, section.body);
  if (reader.unsigned() !== 1) return null;
  const flags = reader.byte();
  const minPages = reader.unsigned();
  const declared = flags & hasMaximum ? reader.unsigned() : 65536;
  // A minimum above the limit is the caller's to refuse; the module stays valid for that.
  const maxPages = Math.max(minPages, Math.min(declared, pagesMax));
  const body = [1, flags | hasMaximum];
  pushUnsigned(body, minPages);
  pushUnsigned(body, maxPages);
  const head = [SectionId.MEMORY];
  pushUnsigned(head, body.length);
  const parts = [bytes.subarray(0, section.start), Uint8Array.from(head), Uint8Array.from(body)];
  return { bytes: Buffer.concat([...parts, bytes.subarray(section.end)]), minPages, maxPages };
}
