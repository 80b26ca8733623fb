import { expect, test } from 'vitest';
import { limits } from '../../../src/limits.js';
import { LineTap } from '../../../src/log/line-tap.js';

test('lines are kept once somebody wants them, by request, and taken once', () => {
  const tap = new LineTap();
  tap.add(30, ['before']);
  tap.open();
  tap.add(30, ['own']);
  tap.add(40, [{ request_id: 'r' }, 'of a request']);
  tap.add(50, [{ err: 1 }]);
  expect(tap.takeOwn()).toMatchObject([
    { level: 30, message: 'own' },
    { level: 50, message: '' },
  ]);
  expect(tap.takeOwn()).toEqual([]);
  expect(tap.take('r')).toMatchObject([{ level: 40, message: 'of a request' }]);
  expect(tap.take('r')).toEqual([]);
  expect(tap.lost).toBe(0);
});

test('what finds no room is counted: lines of one request, requests', () => {
  const tap = new LineTap();
  tap.open();
  for (let i = 0; i < limits.tappedLines.value + 5; i++) tap.add(30, [{ request_id: 'r' }, 'x']);
  expect(tap.lost).toBe(5);
  expect(tap.take('r')).toHaveLength(limits.tappedLines.value);
  for (let i = 0; i < limits.tappedRequests.value + 3; i++)
    tap.add(30, [{ request_id: `${i}` }, '']);
  expect(tap.lost).toBe(8);
  expect([tap.take('2').length, tap.take('3').length]).toEqual([0, 1]);
});
