/** One process at a time writes a journal: a file holds the id of the process that does. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folders that this process has open. */
const own = new Set<string>();

/** @throws Error where another process, or another queue of this one, uses the folder */
export function lockFolder(folder: string): void {
  if (own.has(folder)) throw new Error('in use by another queue');
  const path = join(folder, 'lock');
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const owner = Number(readFileSync(path, 'latin1'));
    // A process that was killed leaves its lock behind; in containers its id is often ours.
    if (owner !== process.pid && isAlive(owner)) throw new Error(`in use by process ${owner}`);
    writeFileSync(path, `${process.pid}\n`, { mode: 0o600 });
  }
  own.add(folder);
}

export function unlockFolder(folder: string): void {
  if (!own.delete(folder)) return;
  rmSync(join(folder, 'lock'), { force: true });
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
