/**
 * Every hostile answer whole, byte by byte, and cut at every position: the client sees the same.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { parseResponse } from '../oracle/http.js';
import { responseVectors } from './responses.js';
import {
  createHarness,
  cutAfter,
  type Outcome,
  positions,
  type UpstreamScript,
} from './sim-harness.js';

const question = 'GET /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
let answer = '';
const script: UpstreamScript = { answer: () => ({ bytes: answer, end: true }), cut: 'whole' };
const harness = createHarness(script);

afterAll(() => harness.plane.close());

/** What the judge makes of it: a complete answer, or one that visibly is not. */
function judge(outcome: Outcome): { status: number; body: string } | 'cut' {
  const parsed = parseResponse(outcome.answer, 0, 'GET', !outcome.reset);
  if (parsed === null) return 'cut';
  expect(outcome.answer.slice(parsed.end)).toBe('');
  const { status, body } = parsed.message;
  return { status, body: status === 502 ? '' : body };
}

describe('answers, however they are cut', () => {
  test.each(responseVectors)('$name', ({ bytes, expect: expected }) => {
    answer = bytes;
    script.cut = 'whole';
    const whole = judge(harness.exchange(question, 'whole'));
    expect(whole).toEqual(expected === '502' ? { status: 502, body: '' } : expected);
    // A cut answer is a 502 where the fault was found before the head had left.
    const allowed = expected === 'cut' ? ['cut', { status: 502, body: '' }] : [whole];
    for (const at of positions(bytes.length)) {
      script.cut = cutAfter(at);
      const cut = judge(harness.exchange(question, 'whole'));
      expect(allowed, `cut after ${at} bytes`).toContainEqual(cut);
    }
    if (bytes.length > 2000) return;
    script.cut = 'bytes';
    expect(allowed).toContainEqual(judge(harness.exchange(question, 'whole')));
  });
});
