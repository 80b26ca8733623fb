/** `headgate start`: runs a gateway until a signal ends it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resolveSettings } from '../config/index.js';
import { type EchoService, startEcho } from '../echo.js';
import { createGateway } from '../gateway.js';
import type { Gateway } from '../gateway-options.js';
import { type CommonOptions, exitCodes, fail, failWith, givenSettings } from './exit.js';
import { watch } from './watch.js';

export interface StartOptions extends CommonOptions {
  readonly config?: string;
  readonly pid?: string;
  readonly quickstart?: boolean;
  /** For development: plugins and configuration are loaded again when they change. */
  readonly watch?: boolean;
}

const quickstartFile = fileURLToPath(new URL('../../examples/quickstart.yml', import.meta.url));

/** Runs until drained; returns the exit code. */
export async function start(options: StartOptions): Promise<number> {
  if (options.watch) return startWatched(options);
  let echo: EchoService | null = null;
  try {
    const env = { ...process.env };
    if (options.quickstart && env.ECHO_URL === undefined) {
      echo = await startEcho();
      env.ECHO_URL = `http://127.0.0.1:${echo.port}`;
    }
    const gateway = createGateway({
      configFile: options.config ?? (options.quickstart ? quickstartFile : undefined),
      confFile: options.conf,
      settings: givenSettings(options.set),
      env,
    });
    return await run(gateway, options);
  } catch (error) {
    return failWith(error);
  } finally {
    await echo?.close();
  }
}

async function startWatched({ config, conf, set }: StartOptions): Promise<number> {
  try {
    const { plugins, declarativeConfig } = resolveSettings({
      confText: conf === undefined ? undefined : readFileSync(conf, 'utf8'),
      confFile: conf,
      env: process.env,
      options: givenSettings(set),
    });
    return await watch({
      argv: process.argv.slice(2).filter((argument) => argument !== '--watch'),
      config: config ?? declarativeConfig ?? undefined,
      plugins: plugins.filter((name) => /^\.{0,2}\//.test(name)).map((name) => resolve(name)),
    });
  } catch (error) {
    return failWith(error);
  }
}

/** Whoever sees the first connection answered may send signals: both come before the start. */
async function run(gateway: Gateway, options: StartOptions): Promise<number> {
  if (options.pid) writeFileSync(options.pid, `${process.pid}\n`);
  const started = gateway.start();
  const release = handleSignals(gateway, started);
  try {
    await started;
    if (options.quickstart) greet(gateway);
    const failure = await gateway.closed;
    return failure ? exitCodes.running : exitCodes.done;
  } finally {
    release();
    if (options.pid) removeOwn(options.pid);
  }
}

function greet(gateway: Gateway): void {
  const of = (kind: 'proxy' | 'admin') => gateway.addresses.find((one) => one.kind === kind);
  const proxy = of('proxy');
  const admin = of('admin');
  const lines = ['', 'Headgate is running. Try:', ''];
  if (proxy) lines.push(`  curl -i http://127.0.0.1:${proxy.port}/echo/hello?who=you`);
  if (admin) lines.push(`  curl -s http://127.0.0.1:${admin.port}/status`);
  process.stderr.write(`${lines.join('\n')}\n\n`);
}

/**
 * TERM and QUIT drain, so does the first INT; a second INT stops at once. HUP reloads, USR2 opens
 * logs again. USR1 is left to Node's inspector. Returns what takes the handlers away again.
 */
function handleSignals(gateway: Gateway, started: Promise<void>): () => void {
  let interrupted = false;
  const afterStart = (
    act: () => Promise<unknown>,
    failed: (error: Error) => unknown = failWith,
  ) => {
    // A start that failed is reported where it is awaited.
    started.then(act).catch((error) => gateway.state !== 'closed' && failed(error));
  };
  const stop = () => afterStart(() => gateway.drain());
  const interrupt = () => {
    if (interrupted) void gateway.close();
    else stop();
    interrupted = true;
  };
  const reloadFailed = (error: Error) => fail(`reload: ${error.message}`);
  const handlers: [NodeJS.Signals, () => void][] = [
    ['SIGTERM', stop],
    ['SIGQUIT', stop],
    ['SIGINT', interrupt],
    ['SIGHUP', () => afterStart(() => gateway.reload(), reloadFailed)],
    ['SIGUSR2', () => afterStart(() => gateway.reopenLogs())],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

/** Another process may have taken the file over meanwhile. */
function removeOwn(file: string): void {
  try {
    if (readFileSync(file, 'utf8').trim() === String(process.pid)) rmSync(file);
  } catch {
    // It is gone already.
  }
}
