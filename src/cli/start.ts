/** `headgate start`: runs a gateway until a signal ends it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type EchoService, startEcho } from '../echo.js';
import { createGateway } from '../gateway.js';
import type { Gateway } from '../gateway-options.js';
import { type CommonOptions, exitCodes, fail, failWith, givenSettings } from './exit.js';

export interface StartOptions extends CommonOptions {
  readonly config?: string;
  readonly pid?: string;
  readonly quickstart?: boolean;
}

const quickstartFile = fileURLToPath(new URL('../../examples/quickstart.yml', import.meta.url));

/** Runs until drained; returns the exit code. */
export async function start(options: StartOptions): Promise<number> {
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
    await gateway.start();
    if (options.pid) writeFileSync(options.pid, `${process.pid}\n`);
    if (options.quickstart) greet(gateway);
    const failure = await untilStopped(gateway);
    if (options.pid) removeOwn(options.pid);
    return failure ? exitCodes.running : exitCodes.done;
  } catch (error) {
    return failWith(error);
  } finally {
    await echo?.close();
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
 * logs again. USR1 is left to Node's inspector.
 */
async function untilStopped(gateway: Gateway): Promise<Error | null> {
  let interrupted = false;
  const stop = () => void gateway.drain().catch(failWith);
  const interrupt = () => {
    if (interrupted) void gateway.close();
    else stop();
    interrupted = true;
  };
  const handlers: [NodeJS.Signals, () => void][] = [
    ['SIGTERM', stop],
    ['SIGQUIT', stop],
    ['SIGINT', interrupt],
    ['SIGHUP', () => void gateway.reload().catch((error) => fail(`reload: ${error.message}`))],
    ['SIGUSR2', () => void gateway.reopenLogs().catch(failWith)],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  const failure = await gateway.closed;
  for (const [signal, handler] of handlers) process.off(signal, handler);
  return failure;
}

/** Another process may have taken the file over meanwhile. */
function removeOwn(file: string): void {
  try {
    if (readFileSync(file, 'utf8').trim() === String(process.pid)) rmSync(file);
  } catch {
    // It is gone already.
  }
}
