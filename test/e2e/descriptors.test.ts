/** Out of file descriptors: who is connected is served on, and others as soon as there is room. */
import { spawn } from 'node:child_process';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../support/gateway.js';
import { testDriver, testHandles } from '../support/plane.js';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Starts the gateway with so few descriptors that three hundred clients do not fit. */
async function startPoor(): Promise<number> {
  const settings = ['proxy_listen=127.0.0.1:0', 'admin_listen=off', `driver=${testDriver}`].concat(
    `net_handles=${testHandles}`,
  );
  const set = settings.map((setting) => `--set ${setting}`).join(' ');
  const line = `ulimit -n 256 && exec ${process.execPath} ${cli} start ${set}`;
  const child = spawn('sh', ['-c', line], { env: { PATH: process.env.PATH } });
  onTestFinished(() => void child.kill('SIGKILL'));
  let out = '';
  child.stdout.on('data', (part) => {
    out += part;
  });
  await until(() => out.includes('gateway started') || child.exitCode !== null, 30_000);
  return Number(/"port":(\d+)/.exec(out)?.[1]);
}

interface Client {
  readonly socket: net.Socket;
  answers: number;
}

function connect(port: number): Client {
  const client = { socket: net.connect(port, '127.0.0.1'), answers: 0 };
  client.socket.on('error', () => {});
  client.socket.on('data', (chunk) => {
    client.answers += chunk.toString('latin1').split('HTTP/1.1 404').length - 1;
  });
  onTestFinished(() => void client.socket.destroy());
  return client;
}

const ask = ({ socket }: Client) => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');

test('established connections are served on, and there is room again when some go', async () => {
  const port = await startPoor();
  const first = connect(port);
  ask(first);
  await until(() => first.answers === 1, 10_000);
  const crowd = Array.from({ length: 320 }, () => connect(port));
  await until(() => crowd.every(({ socket }) => !socket.connecting), 10_000);
  ask(first);
  await until(() => first.answers === 2, 10_000);
  for (const { socket } of crowd) socket.destroy();
  const late = connect(port);
  await until(() => !late.socket.connecting, 10_000);
  ask(late);
  await until(() => late.answers === 1, 10_000);
  ask(first);
  await until(() => first.answers === 3, 10_000);
  expect(first.socket.destroyed).toBe(false);
});
