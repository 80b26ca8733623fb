/**
 * `npm start`: prepares the project and runs the gateway with its bundled example; with `-c FILE`
 * it runs that file instead. Every further argument goes to `headgate start`.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ensure, root, say } from './setup.mjs';

/**
 * A terminal's Ctrl-C reaches this process twice, from the terminal and again from npm, but a
 * second SIGINT means "stop at once" to the gateway. It therefore runs in a process group of its
 * own, and signals are passed on at most once in this time.
 */
const REPEAT_MS = 250;
const passedOn = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGUSR2'];

function start(args) {
  const own = args.some((arg) => /^(-c|--config)(=|$)/.test(arg)) ? [] : ['--quickstart'];
  const child = spawn(process.execPath, ['dist/cli.js', 'start', ...own, ...args], {
    cwd: root,
    stdio: 'inherit',
    detached: process.platform !== 'win32',
  });
  const last = new Map();
  for (const signal of passedOn) {
    process.on(signal, () => {
      const now = Date.now();
      if (now - (last.get(signal) ?? 0) < REPEAT_MS) return;
      last.set(signal, now);
      child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}

try {
  await ensure();
  start(process.argv.slice(2));
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
