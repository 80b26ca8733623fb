import { describe, expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import { makeRoute } from '../../support/entities.js';
import { install, lookUp, makeRequest } from './harness.js';

const core = createCore();

/** True where the core says that `lowered` is the lower case of `text` (binary strings). */
function isLower(text: string, lowered: string): boolean {
  const routes = [makeRoute(0, { expression: `lower(http.headers.x) == r#"${lowered}"#` })];
  install(core, routes, 'expressions');
  const value = Buffer.from(text, 'utf8').toString('latin1');
  return lookUp(core, routes, makeRequest({ headers: [['x', value]] })).route === 0;
}

describe('lower()', () => {
  test('agrees with the platform for every character', () => {
    const letters: string[] = [];
    for (let code = 0x21; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const letter = String.fromCodePoint(code);
      const upper = letter.toUpperCase();
      if (letter.toLowerCase() !== letter) letters.push(letter);
      else if (upper !== letter) letters.push(letter, upper);
    }
    expect(letters.length).toBeGreaterThan(3000);
    for (let at = 0; at < letters.length; at += 500) {
      const text = letters.slice(at, at + 500).join(' ');
      expect([at, isLower(text, text.toLowerCase())]).toEqual([at, true]);
    }
  });

  test.each(['ΣΑΣ', 'Σ', 'ΑΣ.', 'ΑΣΑ', 'Α.Σ', 'Α-Σ', "Α'Σ'", 'ΑΣ\u0301Α', 'ΑΣ\u0301', '1Σ', 'İΣİ'])(
    'the sigmas of %s',
    (text) => {
      expect(isLower(text, text.toLowerCase())).toBe(true);
    },
  );

  test('bytes that are no UTF-8 stay', () => {
    const routes = [makeRoute(0, { expression: 'lower(http.headers.x) =^ "abc"' })];
    install(core, routes, 'expressions');
    const ask = (value: string) => lookUp(core, routes, makeRequest({ headers: [['x', value]] }));
    expect(ask('\xffABC').route).toBe(0);
    expect(ask('\xc3ABC').route).toBe(0);
    expect(ask('ABC\xc3').route).toBe(-1);
    expect(ask('\xe1\xba').route).toBe(-1);
  });

  test('the longest header fits, even where lower case is longer', () => {
    // U+023A takes two bytes, its lower case three
    const text = 'Ⱥ'.repeat(16_000);
    const routes = [makeRoute(0, { expression: 'lower(http.headers.x) =^ "end"' })];
    install(core, routes, 'expressions');
    const value = Buffer.from(`${text}END`, 'utf8').toString('latin1');
    expect(lookUp(core, routes, makeRequest({ headers: [['x', value]] })).route).toBe(0);
  });
});
