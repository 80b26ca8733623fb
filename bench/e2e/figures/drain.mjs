/** TERM while requests wait for their upstream: each is answered, then the gateway ends. */
import { once } from 'node:events';
import { closeClients, okAnswer, openClients, rawUpstream } from '../client.mjs';

const IN_FLIGHT = 140;
const UPSTREAM_MS = 700;

export const name = `TERM with ${IN_FLIGHT} requests in flight`;
export const goal = 'none lost, exit code 0';

export async function run({ headgate, defer }) {
  let waiting = 0;
  let allWait;
  const arrived = new Promise((resolve) => {
    allWait = resolve;
  });
  const upstream = await rawUpstream((socket) => {
    if (++waiting === IN_FLIGHT) allWait();
    setTimeout(() => socket.write(okAnswer('late')), UPSTREAM_MS);
  });
  defer(upstream.close);
  const gateway = await headgate(upstream.port);
  const clients = await openClients(gateway.port, IN_FLIGHT);
  defer(() => closeClients(clients));
  const answers = clients.map((one) => one.request());
  await arrived;
  const ended = once(gateway.child, 'exit');
  const sent = performance.now();
  gateway.child.kill('SIGTERM');
  const statuses = await Promise.all(answers);
  const lost = statuses.filter((status) => status !== 200).length;
  const [code] = await ended;
  const seconds = ((performance.now() - sent) / 1000).toFixed(1);
  return {
    text: `${lost} lost, ended with ${code} after ${seconds} s`,
    holds: lost === 0 && code === 0,
  };
}
