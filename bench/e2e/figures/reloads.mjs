/** Three new configurations while 64 connections are busy. */
import { load } from '../load.mjs';
import { pause } from '../process.mjs';
import { headgateConfig } from '../subjects.mjs';
import { startUpstream } from '../upstream.mjs';

const SECONDS = 4;
const RELOADS = [100, 1_000, 10];

export const name = 'three reloads under load';
export const goal = 'no failed request';

export async function run({ headgate, defer, folder }) {
  const upstream = await startUpstream(folder, 100);
  defer(() => upstream.child.kill());
  const gateway = await headgate(upstream.port);
  const running = load(gateway.port, { seconds: SECONDS });
  const statuses = [];
  for (const routes of RELOADS) {
    await pause((SECONDS * 1000) / (RELOADS.length + 1));
    statuses.push(await reload(gateway.adminPort, headgateConfig(upstream.port, routes)));
  }
  const { requests, errors, p99Ms } = await running;
  const answers = `reloads answered ${statuses.join(' ')}`;
  const text = `${errors} of ${requests} failed, p99 ${p99Ms.toFixed(1)} ms, ${answers}`;
  return {
    text,
    holds: errors === 0 && requests > 0 && statuses.every((status) => status === 201),
  };
}

/** Kong's DB-less load: the whole file as the field `config`. */
async function reload(adminPort, config) {
  const response = await fetch(`http://127.0.0.1:${adminPort}/config`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ config }),
  });
  await response.arrayBuffer();
  return response.status;
}
