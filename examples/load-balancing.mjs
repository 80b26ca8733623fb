/**
 * Three servers behind one upstream: they take turns by weight, one that fails is left out and
 * comes back. Run it after `npm run build` with `node examples/load-balancing.mjs`.
 */
import { createServer } from 'node:http';
import { createGateway } from 'headgate';

let isWell = true;
const servers = ['a', 'b', 'c'].map((name) =>
  createServer((_request, response) => {
    response.statusCode = name === 'c' && !isWell ? 503 : 200;
    response.end(name);
  }),
);
for (const server of servers) {
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
}
const [a, b, c] = servers.map((server) => `127.0.0.1:${server.address().port}`);

const gateway = createGateway({
  config: {
    _format_version: '3.0',
    upstreams: [
      {
        name: 'letters',
        targets: [{ target: a, weight: 200 }, { target: b }, { target: c }],
        healthchecks: {
          active: {
            healthy: { interval: 0.1, successes: 1 },
            unhealthy: { interval: 0.1, http_failures: 1 },
          },
        },
      },
    ],
    services: [{ name: 'letters', host: 'letters', routes: [{ name: 'letters', paths: ['/'] }] }],
  },
  settings: { proxy_listen: '127.0.0.1:0', admin_listen: '127.0.0.1:0', log_level: 'error' },
});
await gateway.start();
const portOf = (kind) => gateway.addresses.find((address) => address.kind === kind).port;

/** Answers of eight requests, sorted. */
async function ask() {
  const letters = [];
  for (let i = 0; i < 8; i++) {
    letters.push(await (await fetch(`http://127.0.0.1:${portOf('proxy')}/`)).text());
  }
  return letters.sort().join('');
}

/** Waits until the Admin API shows a target as it should be. */
async function until(target, health) {
  for (;;) {
    const url = `http://127.0.0.1:${portOf('admin')}/upstreams/letters/health`;
    const { data } = await (await fetch(url)).json();
    if (data.find((one) => one.target === target).health === health) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

console.log('all are well:', await ask());
isWell = false;
await until(c, 'UNHEALTHY');
console.log('c is not:', (await ask()).replace(/[^c]/g, '').length, 'answers of c');
isWell = true;
await until(c, 'HEALTHY');
console.log('c is back:', await ask());

await gateway.drain();
for (const server of servers) server.close();
