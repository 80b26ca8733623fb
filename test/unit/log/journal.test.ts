import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { journalFolder } from '../../../src/log/journal-options.js';
import { inSeconds } from '../../../src/log/queue-clock.js';
import { type CreateQueueOptions, createQueue } from '../../../src/queue.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { root } from '../../tidy/tree.js';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A queue on a clock of its own: as if in a process of its own. */
function open(journal: string, options: Partial<CreateQueueOptions> = {}) {
  const clock = new VirtualClock();
  const delivered: unknown[] = [];
  const ids: string[] = [];
  const lines: string[] = [];
  const note = (_fields: object, text: string) => void lines.push(text.replace('[] queue q: ', ''));
  const queue = createQueue({
    name: 'q',
    journal,
    handler: (entries, context) => {
      delivered.push(...entries);
      ids.push(...context.ids);
      return true;
    },
    clock: inSeconds(clock),
    logger: { warn: note, error: note },
    ...options,
  });
  return { clock, queue, delivered, ids, lines };
}

const away = { handler: () => false, max_retry_delay: 1000, initial_retry_delay: 1000 };
const files = (folder: string) =>
  readdirSync(journalFolder(folder, 'q'))
    .filter((name) => name.endsWith('.journal'))
    .map((name) => join(journalFolder(folder, 'q'), name));

describe('a journal', () => {
  test('keeps what was not delivered, in order and whole, with the same ids', async () => {
    const folder = temporaryFolder();
    const entries = ['text ü', Buffer.from([0, 255]), { a: [1, null] }, ''];
    const seen: string[] = [];
    const first = open(folder, {
      max_retry_delay: 1000,
      initial_retry_delay: 1000,
      max_batch_size: 4,
      handler: (_entries, { ids }) => {
        seen.push(...ids);
        return false;
      },
    });
    for (const entry of entries) first.queue.enqueue(entry);
    await first.clock.moveTo(10);
    expect(await first.queue.close()).toEqual({ delivered: 0, kept: 4, lost: 0 });
    const second = open(folder, { max_batch_size: 4 });
    await second.clock.runOut(10_000);
    expect(second.delivered).toEqual(entries);
    expect(second.ids).toEqual(seen);
    expect(new Set(seen).size).toBe(4);
    expect(await second.queue.close()).toEqual({ delivered: 0, kept: 0, lost: 0 });
    const third = open(folder);
    await third.clock.runOut(10_000);
    expect([third.delivered, third.queue.metrics().spilled]).toEqual([[], 0]);
    third.queue.enqueue('new');
    await third.clock.runOut(10_000);
    expect(seen).not.toContain(third.ids[0]);
    await third.queue.close();
  });

  test('does not deliver again what was delivered before a crash', async () => {
    const folder = temporaryFolder();
    const first = open(folder, { handler: ([entry]) => entry !== 'c', initial_retry_delay: 1000 });
    for (const entry of ['a', 'b', 'c', 'd']) first.queue.enqueue(entry);
    await first.clock.moveTo(10);
    // A crash: nothing is closed. The lock names this process, so a copy stands in for a restart.
    const copy = temporaryFolder();
    execFileSync('cp', ['-r', journalFolder(folder, 'q'), journalFolder(copy, 'q')]);
    const second = open(copy);
    await second.clock.runOut(10_000);
    expect(second.delivered).toEqual(['c', 'd']);
    await second.queue.close();
    await first.queue.close();
  });

  test('given up and dropped entries do not come back', async () => {
    const folder = temporaryFolder();
    const first = open(folder, { handler: () => false, max_retry_time: -1, max_entries: 2 });
    for (const entry of ['a', 'b', 'c']) first.queue.enqueue(entry);
    await first.clock.runOut(10_000);
    expect(first.queue.metrics()).toMatchObject({ dropped: 1, lost: 2 });
    await first.queue.close();
    const second = open(folder);
    await second.clock.runOut(10_000);
    expect(second.delivered).toEqual([]);
    await second.queue.close();
  });

  test('survives a last write that was torn at any byte', async () => {
    const folder = temporaryFolder();
    const first = open(folder, away);
    for (const entry of ['a', 'b', 'last']) first.queue.enqueue(entry);
    await first.clock.moveTo(10);
    await first.queue.close();
    const [path] = files(folder);
    const whole = readFileSync(path);
    for (let cut = 1; cut <= 27; cut++) {
      truncateSync(path, whole.length - cut);
      const again = open(folder, away);
      expect(again.lines).toEqual([expect.stringMatching(/bytes at its end are incomplete/)]);
      expect(again.queue.size).toBe(2);
      await again.queue.close();
      for (const other of files(folder)) if (other !== path) rmSync(other);
      writeFileSync(path, whole);
    }
    appendFileSync(path, Buffer.alloc(100, 7));
    const second = open(folder);
    await second.clock.runOut(10_000);
    expect(second.delivered).toEqual(['a', 'b', 'last']);
    await second.queue.close();
  });

  test('is bounded: above it entries are in memory only, and a warning says so once', async () => {
    const folder = temporaryFolder();
    const first = open(folder, { ...away, journal_max_bytes: 65_536 });
    const entry = 'x'.repeat(1000);
    for (let i = 0; i < 100; i++) first.queue.enqueue(entry);
    expect(first.lines).toEqual([
      'the journal has reached its bound; entries are kept in memory only',
    ]);
    expect(first.queue.size).toBe(100);
    const bytes = files(folder).reduce((sum, path) => sum + statSync(path).size, 0);
    expect(bytes).toBeLessThanOrEqual(65_536);
    await first.clock.moveTo(10);
    const { kept, lost } = await first.queue.close();
    expect(kept + lost).toBe(100);
    expect(kept).toBeGreaterThan(55);
  });

  test('gives files back as entries are delivered', async () => {
    const folder = temporaryFolder();
    const first = open(folder, { journal_max_bytes: 400_000, max_batch_size: 50 });
    for (let i = 0; i < 5000; i++) {
      first.queue.enqueue('x'.repeat(1000));
      if (i % 50 === 49) await first.clock.runOut(first.clock.now() + 1);
    }
    expect(first.delivered).toHaveLength(5000);
    expect(first.lines).toEqual([]);
    expect(first.queue.metrics().journalBytes).toBeLessThan(250_000);
    await first.queue.close();
  });

  test('takes what memory cannot hold, and drops nothing', async () => {
    const options = { journal_spill: true, max_entries: 10, max_batch_size: 4 };
    let isAway = true;
    const delivered: unknown[] = [];
    const handler = (entries: readonly unknown[]) => !isAway && delivered.push(...entries) > 0;
    const producer = open(temporaryFolder(), { ...options, initial_retry_delay: 1, handler });
    const expected = Array.from({ length: 3000 }, (_, i) => `entry ${i}`);
    for (const entry of expected.slice(0, 2000)) expect(producer.queue.enqueue(entry)).toBe(true);
    expect(producer.queue.size).toBeLessThanOrEqual(10);
    expect(producer.queue.metrics().spilled).toBeGreaterThanOrEqual(1990);
    await producer.clock.moveTo(500);
    isAway = false;
    await producer.clock.moveTo(1100);
    for (const entry of expected.slice(2000)) producer.queue.enqueue(entry);
    await producer.clock.runOut(1e6);
    expect(delivered).toEqual(expected);
    expect(producer.queue.metrics()).toMatchObject({ dropped: 0, lost: 0, spilled: 0 });
    await producer.queue.close();
  });

  test('of one folder belongs to one queue', async () => {
    const folder = temporaryFolder();
    const first = open(folder);
    expect(() => open(folder)).toThrowError(
      expect.objectContaining({ code: 'GW_E_QUEUE_JOURNAL' }),
    );
    await first.queue.close();
    await open(folder).queue.close();
    writeFileSync(join(journalFolder(folder, 'q'), 'lock'), '1\n');
    expect(() => open(folder)).toThrow('in use by process 1');
    expect(() => open('/dev/null/x')).toThrowError(
      expect.objectContaining({ code: 'GW_E_QUEUE_JOURNAL' }),
    );
  });

  test('on a full disk leaves entries in memory, with a warning, and writes again later', () => {
    const folder = temporaryFolder();
    // Files of this process may have 16 KiB: the next byte is EFBIG, as ENOSPC on a full disk.
    const script = `
      const { createQueue } = await import('${new URL('dist/queue.js', `file://${root}/`).href}');
      const lines = [];
      let away = true;
      const got = [];
      const queue = createQueue({
        name: 'q', journal: ${JSON.stringify(folder)},
        initial_retry_delay: 0.05, max_retry_delay: 0.05,
        max_batch_size: 1000, max_coalescing_delay: 0.05,
        handler: (entries) => !away && got.push(...entries) > 0,
        logger: { warn: (_f, text) => lines.push(text), error: (_f, text) => lines.push(text) },
      });
      for (let i = 0; i < 40; i++) queue.enqueue(i + 'x'.repeat(1000));
      away = false;
      const result = await queue.drain(10);
      console.log(JSON.stringify({ got: got.length, result, lines }));`;
    const command = 'ulimit -f 16; exec "$0" --input-type=module -e "$1"';
    const output = execFileSync('bash', ['-c', command, process.execPath, script], {
      encoding: 'utf8',
    });
    const { got, result, lines } = JSON.parse(output);
    expect([got, result]).toEqual([40, { delivered: 40, kept: 0, lost: 0 }]);
    expect(lines[0]).toMatch(
      /the journal cannot be written \(EFBIG\); entries stay in memory only/,
    );
  });
});

test('what was accepted before a SIGKILL is delivered by the next process', async () => {
  const folder = temporaryFolder();
  const script = `
    const { writeSync } = await import('node:fs');
    const { createQueue } = await import('${new URL('dist/queue.js', `file://${root}/`).href}');
    const queue = createQueue({
      name: 'q', journal: ${JSON.stringify(folder)}, journal_fsync: 'never',
      max_entries: 1000000,
      handler: () => new Promise(() => {}),
    });
    for (let i = 0; ; i++) {
      queue.enqueue('entry ' + i);
      writeSync(1, i + '\\n');
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  let accepted = '';
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (part) => {
      accepted += part;
      if (accepted.length > 20_000) child.kill('SIGKILL');
    });
    child.once('close', () => resolve());
  });
  const count = accepted.split('\n').length - 1;
  expect(count).toBeGreaterThan(1000);
  const second = open(folder, { max_batch_size: 1000, max_coalescing_delay: 0.1 });
  await second.clock.runOut(100_000);
  // The process may have ended between accepting its last entry and saying so.
  expect(second.delivered.length - count).toBeGreaterThanOrEqual(0);
  expect(second.delivered.length - count).toBeLessThanOrEqual(1);
  expect(second.delivered).toEqual(second.delivered.map((_, i) => `entry ${i}`));
  await second.queue.close();
});
