/** Clients that send a head one byte at a time are cut at the limit; the others notice nothing. */
import { connect } from 'node:net';
import { closeClients, okAnswer, openClients, quantile, rawUpstream } from '../client.mjs';
import { pause } from '../process.mjs';

const SLOW = 500;
const LIMIT_SECONDS = 3;
/** The timer wheel's tick, the time to read on after the answer, and this process being busy. */
const SLACK_MS = 2_000;
const P99_MS_MAX = 50;

export const name = `${SLOW} slow heads`;
export const goal = `cut at the limit (${LIMIT_SECONDS} s), others' p99 at most ${P99_MS_MAX} ms`;

export async function run({ headgate, defer }) {
  const upstream = await rawUpstream((socket) => socket.write(okAnswer('fast')));
  defer(upstream.close);
  const env = { HEADGATE_CLIENT_HEADER_TIMEOUT: String(LIMIT_SECONDS) };
  const gateway = await headgate(upstream.port, { env });
  const clients = await openClients(gateway.port, 16);
  defer(() => closeClients(clients));
  for (let round = 0; round < 200; round++) await Promise.all(clients.map((one) => one.request()));
  const slow = Array.from({ length: SLOW }, () => slowHead(gateway.port));
  defer(() => {
    for (const one of slow) one.stop();
  });
  const others = await latencies(clients, LIMIT_SECONDS * 1000 + SLACK_MS);
  const ages = slow.map((one) => one.cutAfterMs()).filter((ms) => ms !== undefined);
  const early = ages.filter((ms) => ms < LIMIT_SECONDS * 1000 - 100).length;
  const p99 = quantile(others.ms, 0.99);
  const last = (quantile(ages, 1) / 1000).toFixed(2);
  const cut = `${ages.length} cut after ${last} s at most, ${early} too early`;
  const text = `${cut}; others: p99 ${p99.toFixed(1)} ms, ${others.failed} failed`;
  const holds = ages.length === SLOW && early === 0 && p99 <= P99_MS_MAX && others.failed === 0;
  return { text, holds };
}

/** Each client asks again 20 ms after its answer, until the time is over. */
async function latencies(clients, forMs) {
  const ms = [];
  let failed = 0;
  const end = performance.now() + forMs;
  const worker = async ({ request }) => {
    while (performance.now() < end) {
      const sent = performance.now();
      if ((await request()) !== 200) failed++;
      ms.push(performance.now() - sent);
      await pause(20);
    }
  };
  await Promise.all(clients.map(worker));
  return { ms, failed };
}

function slowHead(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let started;
  let ended;
  const timer = setInterval(() => {
    if (socket.writable) socket.write('x');
  }, 500);
  const stop = () => {
    clearInterval(timer);
    socket.destroy();
  };
  socket.on('connect', () => {
    started = performance.now();
    socket.write('GET /bench HTTP/1.1\r\nHost: slow\r\nX-Slow: ');
  });
  // The answer or the cut, whichever comes first, is what the client sees.
  const over = () => {
    ended ??= performance.now();
    stop();
  };
  socket.on('data', over).on('end', over).on('close', over);
  socket.on('error', () => {});
  return { stop, cutAfterMs: () => (ended && started ? ended - started : undefined) };
}
