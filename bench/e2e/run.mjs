/**
 * `npm run bench:e2e`: Headgate beside every proxy found here, alternating in rounds, in front of
 * the same upstream. Prints the median round of each; the ratio is Headgate's CPU time per request
 * divided by the peer's (below 1: Headgate is cheaper). Loopback only; ends what it started.
 *
 *   --rounds N (3)  --seconds N (5)  --warm-up N (2)  --connections N (64)
 *   --scenario a,b (100B)
 *   --only a,b: subjects, or rows by their labels
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { filter, filterBody } from './filters.mjs';
import { load } from './load.mjs';
import { plugins, reportCosts } from './plugins/scenario.mjs';
import { cpuTimes, stopProgram } from './process.mjs';
import { startSubject, subjectNames } from './subjects.mjs';
import { startUpstream } from './upstream.mjs';

/** One row for each driver; `native` is left out where it is not built. */
const drivers = [
  ['headgate native', { driver: 'native' }],
  ['headgate net', { driver: 'net' }],
];

/**
 * Variants are rows of Headgate: [label, options of startSubject]. `load`: options of the client,
 * by default 64 keep-alive connections that GET. post: 10 KB up; upload: 1 MB, to an upstream that
 * reads it; close: a connection per request.
 */
const scenarios = {
  '100B': { bodyBytes: 100, peers: true, variants: drivers },
  '10KB': { bodyBytes: 10_240, peers: true, variants: drivers },
  '100KB': { bodyBytes: 102_400, peers: true, variants: drivers },
  '1MB': { bodyBytes: 1_048_576, peers: true, variants: drivers },
  // Fewer connections: a round is a hundred answers.
  '100MB': { bodyBytes: 104_857_600, peers: true, variants: drivers, load: { connections: 4 } },
  post: { bodyBytes: 100, peers: true, variants: drivers, load: { postBytes: 10_240 } },
  upload: {
    bodyBytes: 100,
    upstream: { readsBodies: true },
    peers: true,
    variants: drivers,
    load: { postBytes: 1_048_576 },
  },
  upload100MB: {
    bodyBytes: 100,
    upstream: { readsBodies: true },
    peers: true,
    variants: drivers,
    load: { postBytes: 104_857_600, connections: 4 },
  },
  close: { bodyBytes: 100, peers: true, variants: drivers, load: { close: true } },
  one: { bodyBytes: 100, peers: true, variants: drivers, load: { connections: 1 } },
  eight: { bodyBytes: 100, peers: true, variants: drivers, load: { connections: 8 } },
  many: { bodyBytes: 100, peers: true, variants: drivers, load: { connections: 256 } },
  // A second worker's worth: requests per second of CPU time, whatever the load generator leaves.
  // HAProxy shows what two of anything lose to each other on this machine.
  workers: {
    bodyBytes: 100,
    peers: false,
    variants: [
      ['1 worker', { driver: 'native' }],
      ['2 workers', { driver: 'native', env: { HEADGATE_WORKERS: '2' } }],
      ['haproxy, 1 thread', {}, 'haproxy'],
      ['haproxy, 2 threads', { threads: 2 }, 'haproxy'],
    ],
  },
  routes: {
    bodyBytes: 100,
    peers: false,
    variants: [
      ['1 route', { routes: 1 }],
      ['10000 routes', { routes: 10_000 }],
      ['nginx 1 location', {}, 'nginx'],
      ['nginx 10000', { routes: 10_000 }, 'nginx'],
    ],
  },
  log: {
    bodyBytes: 100,
    peers: false,
    variants: [
      ['headgate', {}],
      ['access log to a file', { env: { HEADGATE_ACCESS_LOG: 'access.log' } }],
    ],
  },
  // http-log to a server that takes everything, beside nginx and its buffered access log.
  logging: {
    bodyBytes: 100,
    peers: false,
    receiver: true,
    variants: [
      ['logging off', {}],
      ['http-log, batch 1', { logBatch: 1 }],
      ['http-log, batch 200', { logBatch: 200 }],
      ['nginx', {}, 'nginx'],
      ['nginx, buffered log', { accessLog: true }, 'nginx'],
    ],
  },
  plugins,
  filter,
  'filter-body': filterBody,
};

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    'warm-up': { type: 'string', default: '2' },
    connections: { type: 'string', default: '64' },
    only: { type: 'string' },
    scenario: { type: 'string', default: '100B' },
  },
});
const rounds = bounded('rounds', 1, 50);
const seconds = bounded('seconds', 1, 60);
const warmUp = bounded('warm-up', 1, 60);
const connections = bounded('connections', 1, 1024);

function bounded(name, low, high) {
  const value = Number(values[name]);
  if (!(value >= low && value <= high)) throw new Error(`--${name}: ${low} to ${high}`);
  return value;
}

async function runScenario(name) {
  const scenario = scenarios[name];
  if (!scenario) throw new Error(`--scenario: one of ${Object.keys(scenarios).join(', ')}`);
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
  const started = [];
  try {
    const upstream = await startUpstream(folder, scenario.bodyBytes, scenario.upstream);
    started.push(upstream);
    if (scenario.receiver) {
      const own = join(folder, 'receiver');
      mkdirSync(own);
      started.push(await startUpstream(own, 2));
    }
    const ports = { upstream: upstream.port, receiver: started.at(-1).port };
    const subjects = await startSubjects(scenario, folder, ports, started);
    for (const { handle, clients } of subjects)
      await load(handle.port, { connections, ...clients, seconds: warmUp });
    for (let round = 0; round < rounds; round++) {
      // Every other round backwards: what runs next to what should not matter.
      const order = round % 2 === 0 ? subjects : [...subjects].reverse();
      for (const { handle, runs, clients } of order) runs.push(await measure(handle, clients));
    }
    report(name, scenario, subjects);
  } finally {
    for (const handle of started) await stopProgram(handle);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startSubjects(scenario, folder, ports, started) {
  const only = values.only?.split(',');
  const plans = scenario.variants.map(([label, options, name = 'headgate']) => {
    return [label, name, { ...options, receiverPort: ports.receiver }];
  });
  if (scenario.peers) {
    for (const name of subjectNames.slice(1)) plans.push([name, name, {}]);
  }
  const subjects = [];
  for (const [label, name, options] of plans) {
    if (only && !only.includes(name) && !only.includes(label)) continue;
    const own = join(folder, label.replace(/\W+/g, '-'));
    mkdirSync(own);
    const handle = await startSubject(name, own, ports.upstream, options);
    if (!handle) {
      console.log(`${label}: not here, left out`);
      continue;
    }
    started.push(handle);
    subjects.push({ label, handle, clients: { ...scenario.load, ...options.load }, runs: [] });
  }
  return subjects;
}

async function measure(handle, options) {
  const before = cpuTimes(handle.pid);
  const result = await load(handle.port, { connections, ...options, seconds });
  const after = cpuTimes(handle.pid);
  const user = (after.user - before.user) / result.requests;
  const system = (after.system - before.system) / result.requests;
  return { ...result, user, system, cpu: user + system };
}

function report(name, scenario, subjects) {
  const rows = subjects.map(({ label, runs }) => ({
    label,
    errors: runs.reduce((sum, run) => sum + run.errors, 0),
    spread: spreadPercent(runs.map((run) => run.cpu)),
    ...Object.fromEntries(
      ['perSecond', 'p50Ms', 'p99Ms', 'cpu', 'user', 'system'].map((key) => {
        return [key, median(runs.map((run) => run[key]))];
      }),
    ),
  }));
  const clients = scenario.load?.connections ?? connections;
  console.log(`\n${name}: ${clients} connections, median of ${rounds} rounds of ${seconds} s`);
  if (scenario.costs) reportCosts(rows);
  else reportProxies(rows);
  const results = join(dirname(fileURLToPath(import.meta.url)), 'results');
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(rows, null, 2)}\n`);
}

function reportProxies(rows) {
  const [first] = rows;
  console.log(
    'proxy                    req/s   p50 ms   p99 ms  CPU us/req (user + system)  ratio',
  );
  for (const row of rows) {
    const cpu = `${row.cpu.toFixed(1)} (${row.user.toFixed(1)} + ${row.system.toFixed(1)})`;
    const errors = row.errors > 0 ? `  ${row.errors} errors` : '';
    console.log(
      `${row.label.padEnd(21)}${Math.round(row.perSecond).toString().padStart(9)}` +
        `${row.p50Ms.toFixed(2).padStart(9)}${row.p99Ms.toFixed(2).padStart(9)}` +
        `  ${cpu.padEnd(26)}  ${(first.cpu / row.cpu).toFixed(2)}` +
        `  (rounds within ${row.spread.toFixed(0)} %)${errors}`,
    );
  }
}

function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Distance from the lowest to the highest round, in per cent of the median. */
function spreadPercent(list) {
  return ((Math.max(...list) - Math.min(...list)) / median(list)) * 100;
}

for (const name of values.scenario.split(',')) await runScenario(name);
