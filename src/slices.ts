/**
 * Long work in slices: a generator that yields often runs either at once or a few milliseconds at
 * a time, with the event loop's own work in between. Configurations are loaded so, beside traffic.
 */
import { limits } from './limits.js';

/** Work that may be interrupted wherever it yields. */
export type Steps<T> = Generator<void, T, void>;

/** Items that a loop takes between two yields: some microseconds each. */
export const itemsPerStep = 32;

/** Does all of the work now. */
export function runSteps<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** Does the work in slices of about limits.loadSliceMs, and lets events be handled in between. */
export async function runInSlices<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const end = performance.now() + limits.loadSliceMs.value;
    do {
      const step = steps.next();
      if (step.done) return step.value;
    } while (performance.now() < end);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** Items that are sorted in one go. */
const runLength = 2048;

/** A sorted copy of a list; equal items keep their order. */
export function* sortSteps<T>(list: readonly T[], compare: (a: T, b: T) => number): Steps<T[]> {
  let runs: T[][] = [];
  for (let at = 0; at < list.length; at += runLength) {
    runs.push(list.slice(at, at + runLength).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(i + 1 < runs.length ? yield* merge(runs[i], runs[i + 1], compare) : runs[i]);
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge<T>(a: readonly T[], b: readonly T[], compare: (a: T, b: T) => number): Steps<T[]> {
  const out: T[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const fromA = j === b.length || (i < a.length && compare(a[i], b[j]) <= 0);
    out.push(fromA ? a[i++] : b[j++]);
    if (out.length % runLength === 0) yield;
  }
  return out;
}
