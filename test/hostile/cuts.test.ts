/**
 * Every judged request whole, byte by byte, and cut at every position: the outcome must not depend
 * on how TCP delivers it, and the judge must find what reaches the upstream grammatical.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { type OracleRequest, valuesOf } from '../oracle/http.js';
import { judgedVectors } from './judged-requests.js';
import { createHarness, cutAfter, type Outcome, positions } from './sim-harness.js';
import type { RequestVector } from './vector.js';

const marker = 'GET /marker HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const harness = createHarness({ answer: () => ({ bytes: ok, end: false }), cut: 'whole' });

afterAll(() => harness.plane.close());

const named = ({ method, target }: OracleRequest): string => `${method} ${target}`;

function expected(vector: RequestVector): { statuses: number[]; sees: readonly string[] } {
  if (vector.expect !== 'forwarded') {
    if (vector.closes ?? true) return { statuses: [vector.expect], sees: [] };
    return { statuses: [vector.expect, 200], sees: ['GET /marker'] };
  }
  const method = vector.bytes.trimStart().split(' ')[0];
  const sees = vector.sees ?? [`${method} /t`, 'GET /marker'];
  return { statuses: sees.map(() => 200), sees };
}

function summary(outcome: Outcome): { statuses: number[]; sees: string[] } {
  const lines = [...outcome.answer.matchAll(/HTTP\/1\.1 (\d{3}) [^\r]*\r\n/g)];
  return { statuses: lines.map(([, code]) => Number(code)), sees: outcome.requests.map(named) };
}

function judge(vector: RequestVector, outcome: Outcome): void {
  expect(outcome.errors).toEqual([]);
  expect(summary(outcome)).toEqual(expected(vector));
  if (!vector.late) expect(outcome.rest).toBe('');
  const [first] = outcome.requests;
  if (vector.body !== undefined) expect(first?.body).toBe(vector.body);
  for (const name of vector.without ?? []) expect(valuesOf(first.fields, name)).toEqual([]);
}

test('every vector has a name of its own', () => {
  expect(judgedVectors.length).toBeGreaterThan(200);
  expect(new Set(judgedVectors.map(({ name }) => name)).size).toBe(judgedVectors.length);
});

describe('judged requests', () => {
  test.each(judgedVectors)('$name: $expect ($rule)', (vector) => {
    const bytes = vector.bytes + marker;
    const whole = harness.exchange(bytes, 'whole');
    judge(vector, whole);
    if (bytes.length < 2000) {
      expect(summary(harness.exchange(bytes, 'bytes'))).toEqual(summary(whole));
    }
    for (const at of positions(vector.bytes.length)) {
      const cut = harness.exchange(bytes, cutAfter(at));
      expect(summary(cut), `cut after ${at} bytes`).toEqual(summary(whole));
      expect(cut.errors).toEqual([]);
    }
  });
});
