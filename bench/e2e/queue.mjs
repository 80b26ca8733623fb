/**
 * What a waiting log entry costs: CPU time per entry, collector pauses and memory, for Headgate's
 * ring, an array and `denque`, each in a process of its own. 100,000 entries wait throughout, and
 * batches of 200 are taken.   node bench/e2e/queue.mjs [--entries 1000000]
 */
import { execFileSync } from 'node:child_process';
import { PerformanceObserver } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '1000000' },
    subject: { type: 'string' },
    bytes: { type: 'string', default: '100' },
  },
});
const total = Number(values.entries);
const bytes = Number(values.bytes);
const waiting = 100_000;
const batch = 200;

const makers = {
  async ring() {
    const { EntryRing } = await import('../../dist/core/entry-ring.js');
    const ring = new EntryRing();
    return { push: (text) => ring.append(text, text.length, 0), take: () => ring.take(batch) };
  },
  async array() {
    const list = [];
    return { push: (text) => list.push(text), take: () => list.splice(0, batch) };
  },
  async denque() {
    const { default: Denque } = await import('denque');
    const list = new Denque();
    return { push: (text) => list.push(text), take: () => list.remove(0, batch) };
  },
};

async function measure(name) {
  let queue;
  try {
    queue = await makers[name]();
  } catch {
    return null;
  }
  const pauses = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) pauses.push(duration);
  });
  observer.observe({ entryTypes: ['gc'] });
  // One-byte texts that were decoded, as entries are; the same work for every subject.
  const source = Buffer.alloc(bytes, 'x');
  const before = process.cpuUsage();
  let rssMax = 0;
  for (let i = 0; i < total; i++) {
    source.writeUInt32LE(0x61616161 + (i & 0x0f0f0f0f), 0);
    queue.push(source.latin1Slice(0, bytes));
    if (i >= waiting && i % batch === 0) queue.take();
    if (i % 100_000 === 0) {
      rssMax = Math.max(rssMax, process.memoryUsage.rss());
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const { user, system } = process.cpuUsage(before);
  await new Promise((resolve) => setTimeout(resolve, 50));
  observer.disconnect();
  const sum = pauses.reduce((all, one) => all + one, 0);
  return {
    name,
    nanoseconds: ((user + system) * 1000) / total,
    longestMs: Math.max(0, ...pauses),
    pausesMs: sum,
    rssMiB: rssMax / 1024 / 1024,
  };
}

if (values.subject) {
  console.log(JSON.stringify(await measure(values.subject)));
} else {
  const self = fileURLToPath(import.meta.url);
  for (const size of ['100', '1024']) {
    console.log(`\n${total.toLocaleString('en')} entries of ${size} bytes, 100,000 waiting`);
    console.log('queue     CPU ns/entry   longest pause ms   all pauses ms   RSS MiB');
    for (const name of Object.keys(makers)) {
      const args = [self, '--subject', name, '--bytes', size, '--entries', String(total)];
      const row = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
      if (!row) {
        console.log(`${name.padEnd(8)}  not installed, left out`);
        continue;
      }
      const { nanoseconds, longestMs, pausesMs, rssMiB } = row;
      console.log(
        `${name.padEnd(8)}${nanoseconds.toFixed(0).padStart(14)}` +
          `${longestMs.toFixed(1).padStart(19)}${pausesMs.toFixed(0).padStart(16)}` +
          `${rssMiB.toFixed(0).padStart(10)}`,
      );
    }
  }
}
