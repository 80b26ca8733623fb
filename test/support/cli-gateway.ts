/** A gateway in a process of its own, started from the built command line, ended with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { until } from './gateway.js';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface CliGateway {
  readonly child: ChildProcess;
  readonly proxy: string;
  readonly admin: string;
  /** Everything it has printed so far. */
  readonly output: () => string;
  /** Resolves when it has ended. */
  readonly exit: Promise<void>;
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts `headgate start` with a configuration and settings, on free ports. */
export async function startCli(
  config: object,
  env: Readonly<Record<string, string>> = {},
): Promise<CliGateway> {
  const folder = await temporaryFolder();
  const file = join(folder, 'kong.json');
  await writeFile(file, JSON.stringify(config));
  const any = ['--set', 'proxy_listen=127.0.0.1:0', '--set', 'admin_listen=127.0.0.1:0'];
  const child = spawn(process.execPath, [cli, 'start', '-c', file, ...any], {
    cwd: folder,
    env: { PATH: process.env.PATH, KONG_LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  const exit = new Promise<void>((resolve) => child.once('close', () => resolve()));
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
  }
  const hasStarted = () => /^\{.*"gateway started".*\}$/m.test(text);
  await until(() => hasStarted() || child.exitCode !== null, 30_000);
  const line = text.split('\n').find((one) => one.includes('"gateway started"'));
  if (line === undefined) throw new Error(text);
  const { addresses } = JSON.parse(line) as { addresses: { kind: string; port: number }[] };
  const url = (kind: string) =>
    `http://127.0.0.1:${addresses.find((address) => address.kind === kind)?.port}`;
  return { child, proxy: url('proxy'), admin: url('admin'), output: () => text, exit };
}
