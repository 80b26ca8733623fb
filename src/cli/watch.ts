/**
 * `headgate start --watch`: the gateway in a process of its own, told to reload when the
 * configuration changes and started anew when a plugin does. For development.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { type FSWatcher, watch as watchPath } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { exitCodes } from './exit.js';

/** Editors write a file in several steps: changes so close together are one. */
const settleMs = 100;

export interface WatchOptions {
  /** Arguments of the command line without `--watch`. */
  readonly argv: readonly string[];
  /** The declarative file; it is read again by HUP. */
  readonly config: string | undefined;
  /** Modules of plugins: files, whose whole folder is watched. */
  readonly plugins: readonly string[];
}

/** Runs until a signal ends it; returns the exit code. */
export async function watch(options: WatchOptions): Promise<number> {
  let ended = false;
  let child = run(options.argv);
  const restart = settled(async () => {
    process.stderr.write('a plugin has changed: the gateway starts anew\n');
    const old = child;
    old.kill('SIGTERM');
    await new Promise((done) => (old.exitCode === null ? old.once('exit', done) : done(null)));
    if (!ended) child = run(options.argv);
  });
  const reload = settled(async () => void child.kill('SIGHUP'));
  const watchers: FSWatcher[] = [];
  if (options.config) watchers.push(watchFile(resolve(options.config), reload));
  for (const plugin of options.plugins) watchers.push(watchFolder(dirname(plugin), restart));
  return new Promise((done) => {
    const end = (signal: NodeJS.Signals) => {
      ended = true;
      for (const watcher of watchers) watcher.close();
      child.once('exit', (code) => done(code ?? exitCodes.done));
      if (!child.kill(signal)) done(exitCodes.done);
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) process.once(signal, end);
  });
}

function run(argv: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [process.argv[1], ...argv], { stdio: 'inherit' });
  child.on('error', (error) => process.stderr.write(`${error.message}\n`));
  return child;
}

/** By its folder: many editors put a new file in the place of the old one. */
function watchFile(file: string, changed: () => void): FSWatcher {
  return watchPath(dirname(file), (_event, name) => {
    if (name === basename(file)) changed();
  });
}

function watchFolder(folder: string, changed: () => void): FSWatcher {
  return watchPath(folder, { recursive: true }, (_event, name) => {
    if (!name?.includes('node_modules') && /\.[cm]?[jt]s$|\.json$/.test(name ?? '')) changed();
  });
}

/** Calls `act` once things have been quiet, one call after the other. */
function settled(act: () => Promise<void>): () => void {
  let timer: NodeJS.Timeout | undefined;
  let last = Promise.resolve();
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      last = last.then(act);
    }, settleMs);
  };
}
