/** What a client connection costs that has had an answer and now waits. */
import { closeClients, okAnswer, openClients, rawUpstream } from '../client.mjs';
import { pause, residentKib } from '../process.mjs';

const CONNECTIONS = 10_000;
const KIB_EACH_MAX = 2;
/** The engine collects what the answers left behind 8 to 16 s after the last of them. */
const QUIET_MS = 20_000;

export const name = `${CONNECTIONS} idle connections`;
export const goal = `at most ${KIB_EACH_MAX} KiB each`;

export async function run({ headgate, defer }) {
  const upstream = await rawUpstream((socket) => socket.write(okAnswer('idle')));
  defer(upstream.close);
  const gateway = await headgate(upstream.port);
  // Warm: code compiled, heap grown, upstream connections pooled.
  const first = await openClients(gateway.port, 200);
  for (let round = 0; round < 100; round++) await Promise.all(first.map((one) => one.request()));
  closeClients(first);
  await pause(1_000);
  const before = residentKib(gateway.pid);
  const clients = await openClients(gateway.port, CONNECTIONS);
  defer(() => closeClients(clients));
  let answered = 0;
  for (let start = 0; start < CONNECTIONS; start += 100) {
    const some = clients.slice(start, start + 100);
    const statuses = await Promise.all(some.map((one) => one.request()));
    answered += statuses.filter((status) => status === 200).length;
  }
  const kibEach = () => (residentKib(gateway.pid) - before) / CONNECTIONS;
  const atOnce = kibEach();
  await pause(QUIET_MS);
  const each = kibEach();
  const open = clients.filter(({ socket }) => !socket.destroyed).length;
  const figures = `${each.toFixed(2)} KiB each when quiet (${atOnce.toFixed(2)} at once)`;
  return {
    text: `${figures}, ${answered} answered, ${open} still open`,
    holds: each <= KIB_EACH_MAX && answered === CONNECTIONS && open === CONNECTIONS,
  };
}
