/**
 * The languages that a module says it was made of: field `language` of the custom section
 * `producers` (tool conventions of WebAssembly).
 */
import { BinaryReader, sectionsOf } from './reader.js';

const customSection = 0;

/** Names such as `Rust`, `Go` or `C11`; empty where the module does not say. */
export function producersOf(bytes: Uint8Array): string[] {
  for (const { id, body, end } of sectionsOf(bytes)) {
    if (id !== customSection) continue;
    const reader = new BinaryReader(bytes.subarray(0, end), body);
    try {
      if (reader.text() === 'producers') return languagesOf(reader);
    } catch (error) {
      // Custom sections may hold anything without making a module invalid.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return [];
}

function languagesOf(reader: BinaryReader): string[] {
  const languages: string[] = [];
  for (let fields = reader.unsigned(); fields > 0; fields--) {
    const field = reader.text();
    for (let values = reader.unsigned(); values > 0; values--) {
      const name = reader.text();
      reader.text();
      if (field === 'language') languages.push(name);
    }
  }
  return languages;
}
