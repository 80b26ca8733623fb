/** Resident memory over many requests, after a warm-up: a straight line through the samples. */
import { closeClients, okAnswer, openClients, rawUpstream } from '../client.mjs';
import { residentKib } from '../process.mjs';

const WARM_UP = 200_000;
const REQUESTS = 200_000;
const SAMPLE_EVERY = 5_000;
const CONNECTIONS = 64;
const KIB_PER_100_000_MAX = 1024;

export const name = `memory over ${REQUESTS} requests`;
export const goal = 'at most 1 MiB per 100,000';

export async function run({ headgate, defer }) {
  const upstream = await rawUpstream((socket) => socket.write(okAnswer('x'.repeat(100))));
  defer(upstream.close);
  const gateway = await headgate(upstream.port);
  const clients = await openClients(gateway.port, CONNECTIONS);
  defer(() => closeClients(clients));
  await requests(clients, WARM_UP, () => {});
  const samples = [];
  const failed = await requests(clients, REQUESTS, (done) => {
    if (done % SAMPLE_EVERY === 0) samples.push([done, residentKib(gateway.pid)]);
  });
  const slope = slopeOf(samples) * 100_000;
  const text = `${(slope / 1024).toFixed(2)} MiB per 100,000, ${failed} failed`;
  return { text, holds: slope <= KIB_PER_100_000_MAX && failed === 0 };
}

/** Sends `count` requests over the clients; resolves with how many were not answered 200. */
async function requests(clients, count, onDone) {
  let started = 0;
  let done = 0;
  let failed = 0;
  const worker = async ({ request }) => {
    while (started < count) {
      started++;
      if ((await request()) !== 200) failed++;
      onDone(++done);
    }
  };
  await Promise.all(clients.map(worker));
  return failed;
}

/** Least squares. */
function slopeOf(points) {
  const mean = (index) => points.reduce((sum, point) => sum + point[index], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  let above = 0;
  let below = 0;
  for (const [x, y] of points) {
    above += (x - meanX) * (y - meanY);
    below += (x - meanX) ** 2;
  }
  return above / below;
}
