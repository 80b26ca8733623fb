/** `headgate reload --pid FILE`: tells a running gateway to read its configuration again. */
import { readFileSync } from 'node:fs';
import { exitCodes, fail } from './exit.js';

/** Sends HUP to the process of the pid file. */
export function reload(pidFile: string | undefined): number {
  if (pidFile === undefined) return fail('reload needs --pid FILE, the one given to start');
  let pid: number;
  try {
    pid = Number(readFileSync(pidFile, 'utf8').trim());
  } catch (error) {
    return fail(`${pidFile}: ${(error as Error).message}`);
  }
  if (!Number.isInteger(pid) || pid < 2) return fail(`${pidFile}: holds no process id`);
  try {
    process.kill(pid, 'SIGHUP');
  } catch (error) {
    return fail(`process ${pid}: ${(error as Error).message}`);
  }
  return exitCodes.done;
}
