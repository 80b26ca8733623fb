import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { makeCounterMemory, SharedCounters } from '../../../src/workers/counters.js';

describe('counters in shared memory', () => {
  test('count, and start again when their time is over', () => {
    const counters = new SharedCounters();
    expect(counters.get('a', 100)).toBe(0);
    expect(counters.add('a', 1, 60, 100)).toBe(1);
    expect(counters.add('a', 2, 60, 101)).toBe(3);
    expect(counters.add('b', 1, 60, 101)).toBe(1);
    expect(counters.get('a', 159)).toBe(3);
    expect(counters.get('a', 160)).toBe(0);
    expect(counters.add('a', 1, 60, 161)).toBe(1);
    expect(counters.get('a', 161)).toBe(1);
  });

  test('keys that look alike are apart', () => {
    const counters = new SharedCounters();
    const keys = Array.from(
      { length: 5000 },
      (_, i) => `route:${i % 50}:10.0.${i >> 8}.${i & 255}`,
    );
    for (const [i, key] of keys.entries()) expect(counters.add(key, i + 1, 60, 0)).toBe(i + 1);
    for (const [i, key] of keys.entries()) expect(counters.get(key, 0)).toBe(i + 1);
  });

  test('more keys than there is room for cost old counters, not memory', () => {
    const counters = new SharedCounters();
    for (let i = 0; i < 200_000; i++) counters.add(`key ${i}`, 1, 60 + i / 1000, 0);
    expect(counters.get('key 199999', 0)).toBe(1);
    expect(counters.get('key 0', 0)).toBe(0);
  });

  test('threads that count together lose nothing', async () => {
    const memory = makeCounterMemory();
    const counters = new SharedCounters(memory);
    counters.add('together', 0, 1000, 0);
    const module = new URL('../../../dist/workers/counters.js', import.meta.url).href;
    const code = `
      const { workerData } = require('node:worker_threads');
      import(${JSON.stringify(module)}).then(({ SharedCounters }) => {
        const counters = new SharedCounters(workerData);
        for (let i = 0; i < 50000; i++) counters.add('together', 1, 1000, 0);
      });`;
    await Promise.all(
      [1, 2, 3].map(
        () =>
          new Promise((resolve, reject) => {
            const worker = new Worker(code, { eval: true, workerData: memory });
            worker.on('error', reject);
            worker.on('exit', resolve);
          }),
      ),
    );
    expect(counters.get('together', 1)).toBe(150_000);
  });
});
