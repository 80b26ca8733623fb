/** Programs under measurement: started, waited for, ended, and their CPU and memory read. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';

/** Linux counts process times in this unit whatever the kernel's tick is. */
const TICK_MICROSECONDS = 10_000;

/** Path of a program on PATH or in the system folders, undefined where it is absent. */
export function findProgram(name) {
  const folders = `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/usr/local/sbin`;
  for (const folder of folders.split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // look further
    }
  }
  return undefined;
}

/** A TCP port that was free a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a program and resolves with its handle once something accepts on `port`.
 * Rejects with the end of its output where it ends or is silent for 20 s.
 */
export async function startProgram(command, args, { port, env, cwd } = {}) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const handle = { child, pid: child.pid, output: '', port, exited: false, code: null };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      handle.output = (handle.output + chunk).slice(-20_000);
    });
  }
  child.on('error', (error) => {
    handle.exited = true;
    handle.output += error.message;
  });
  child.on('exit', (code, signal) => {
    handle.exited = true;
    handle.code = code ?? signal;
  });
  if (port !== undefined) await accepts(handle, port);
  return handle;
}

async function accepts(handle, port) {
  const end = Date.now() + 20_000;
  while (Date.now() < end && !handle.exited) {
    if (await connects(port)) return;
    await pause(50);
  }
  await stopProgram(handle, 'SIGKILL');
  throw new Error(`did not start: ${handle.output.slice(-1500)}`);
}

function connects(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Ends a program by its id and waits; SIGKILL after 5 s. */
export async function stopProgram(handle, signal = 'SIGTERM') {
  if (handle.exited) return;
  const gone = once(handle.child, 'exit');
  handle.child.kill(signal);
  const timer = setTimeout(() => handle.child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(timer);
}

/** CPU time of a process and all its descendants so far, in microseconds. */
export function cpuTimes(pid) {
  const total = { user: 0, system: 0 };
  for (const id of family(pid)) {
    const fields = statFields(id);
    if (!fields) continue;
    // Fields 14 and 15 of proc(5), counted after the name; 16 and 17 are ended children.
    total.user += (Number(fields[11]) + Number(fields[13])) * TICK_MICROSECONDS;
    total.system += (Number(fields[12]) + Number(fields[14])) * TICK_MICROSECONDS;
  }
  return total;
}

/** Resident memory of a process and all its descendants, in KiB. */
export function residentKib(pid) {
  let total = 0;
  for (const id of family(pid)) {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readStatus(id));
    if (match) total += Number(match[1]);
  }
  return total;
}

function family(pid) {
  const parents = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statFields(name);
    if (fields) parents.set(Number(name), Number(fields[1]));
  }
  const ids = [pid];
  for (let index = 0; index < ids.length; index++) {
    for (const [id, parent] of parents) if (parent === ids[index]) ids.push(id);
  }
  return ids;
}

function statFields(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function readStatus(pid) {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return '';
  }
}
