import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ShortTexts } from '../../../src/core/short-text.js';

test('texts read are those of the bytes, whatever was read before', () => {
  const texts = new ShortTexts();
  // Few different bytes, so that many texts share a place.
  const byte = fc.constantFrom(0, 0x41, 0x61, 0x5a, 0x7f, 0xe9, 0xff);
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 60 }), fc.nat({ max: 9 }), (bytes, at) => {
      const buffer = Buffer.alloc(at + bytes.length + 5, 0x2a);
      buffer.set(bytes, at);
      const text = String.fromCharCode(...bytes);
      expect(texts.read({ u8: buffer, buffer }, at, bytes.length)).toBe(text);
      expect(texts.readLower({ u8: buffer, buffer }, at, bytes.length)).toBe(text.toLowerCase());
    }),
    { numRuns: 2000 },
  );
});
