import { expect, test } from 'vitest';
import { Control, MetricSlot } from '../../../src/core/layout.js';
import {
  publish,
  publishedStats,
  RetiredStats,
  type StatsView,
  statsMemory,
  sumControl,
  sumSlot,
} from '../../../src/workers/stats.js';

function counted(requests: number, ok: number): StatsView {
  const view = publishedStats(statsMemory(false));
  view.f64[(view.control + Control.requests) >> 3] = requests;
  view.u32[(view.control + Control.activeDownstream) >> 2] = 3;
  view.u32[(view.control + Control.generation) >> 2] = requests;
  const slot = view.metrics + 2 * MetricSlot.size;
  view.u32[(slot + MetricSlot.status2xx) >> 2] = ok;
  view.u32[(slot + MetricSlot.requestMs + 8) >> 2] = ok;
  view.f64[(slot + MetricSlot.requestMsSum) >> 3] = ok * 1.5;
  view.f64[(slot + MetricSlot.bytesOut) >> 3] = ok * 100;
  return view;
}

test('workers are summed; the generation is the highest', () => {
  const views = [counted(10, 7), counted(5, 4)];
  expect(sumControl(views)).toMatchObject({ requests: 15, activeDownstream: 6, generation: 10 });
  const slot = sumSlot(views, 2);
  expect(slot.classes).toEqual([0, 11, 0, 0, 0]);
  expect(slot.requestMs.buckets[2]).toBe(11);
  expect(slot.requestMs.sum).toBe(16.5);
  expect(slot.bytesOut).toBe(1100);
});

test('what a worker counted outlives it, its gauges do not', () => {
  const retired = new RetiredStats();
  retired.add(counted(10, 7), 3);
  retired.add(counted(1, 1), 3);
  const views = [retired.view, counted(5, 4)];
  expect(sumControl(views)).toMatchObject({ requests: 16, activeDownstream: 3 });
  expect(sumSlot(views, 2)).toMatchObject({ classes: [0, 12, 0, 0, 0], bytesOut: 1200 });
});

test('what is published is what is read, of the slots in use', () => {
  const shared = publishedStats(statsMemory(true));
  publish(counted(10, 7), shared, 3);
  expect(sumControl([shared]).requests).toBe(10);
  expect(sumSlot([shared], 2)).toEqual(sumSlot([counted(10, 7)], 2));
});
