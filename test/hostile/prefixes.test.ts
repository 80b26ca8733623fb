/**
 * The head parsers on every prefix of every vector: a verdict, once given, never changes when more
 * bytes come, and bytes behind the end never decide.
 */
import { describe, expect, test } from 'vitest';
import { createCore } from '../../src/core/instance.js';
import { Region } from '../../src/core/layout.js';
import { judgedVectors } from './judged-requests.js';
import { requestVectors } from './requests.js';
import { responseVectors } from './responses.js';
import { positions } from './sim-harness.js';

const core = createCore({ seed: [1, 2] });
const start = Region.read.offset + 256;
const incomplete = 'incomplete';
type Parse = (start: number, end: number) => number;

/** Bytes of the head, 'incomplete', or the status it deserves. */
function verdict(parse: Parse, text: string, behind: string): string {
  core.buffer.latin1Write(text + behind, start);
  const result = parse(start, start + text.length);
  if (result >= 1000) return `${result - start} bytes`;
  return result === 0 ? incomplete : `status ${result}`;
}

function checkPrefixes(parse: Parse, text: string): void {
  let known = incomplete;
  for (const at of [...positions(text.length), text.length]) {
    const prefix = text.slice(0, at);
    const now = verdict(parse, prefix, '\r\n\r\nX: y\r\n\r\n');
    expect(verdict(parse, prefix, 'AAAAAAAAAAAAAAAAAAAA'), `after ${at} bytes`).toBe(now);
    if (known !== incomplete) expect(now, `after ${at} bytes`).toBe(known);
    known = now;
  }
}

const requests = [...requestVectors, ...judgedVectors].map(({ name, bytes }) => ({ name, bytes }));

describe('prefixes of request heads', () => {
  test.each(requests)('$name', ({ bytes }) => checkPrefixes(core.exports.parse_request, bytes));
});

describe('prefixes of response heads', () => {
  test.each(responseVectors)('$name', ({ bytes }) => {
    if (bytes !== '') checkPrefixes(core.exports.parse_response, bytes);
  });
});
