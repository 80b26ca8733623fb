/**
 * Makes a fresh clone ready to run: installs what package-lock.json names and builds what changed.
 * Stateless for the install (npm's own record is compared with the lock file); builds are stamped
 * with a hash of their sources, so that a checkout of an older commit is rebuilt as well.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What is built: the sources that decide it, and a file of every output. */
export const parts = {
  typescript: {
    sources: ['src', 'tsconfig.json', 'package.json'],
    outputs: ['dist/cli.js', 'dist/index.js', 'dist/index.d.ts', 'dist/schema.json'],
  },
  core: {
    sources: [
      'assembly',
      'asconfig.json',
      'asconfig.queue.json',
      'node_modules/assemblyscript/package.json',
    ],
    outputs: ['build/release.wasm', 'build/checked.wasm', 'build/debug.wasm', 'build/queue.wasm'],
  },
};

/** Built only where it was asked for: by tools/build-native.mjs. */
export const optionalParts = {
  native: {
    sources: [
      ...['addon.cc', 'binding.gyp', 'commands.cc', 'engine.cc', 'engine.h', 'face.cc', 'face.h'],
      ...['ids.h', 'layout.h', 'reads.cc', 'slot.h', 'sockets.cc', 'sockets.h', 'writes.cc'],
    ].map((name) => `src/native/${name}`),
  },
};

const stampPath = join(root, 'build', '.stamps.json');

/** Installs and builds what is missing or out of date. Throws `Error` where a step fails. */
export async function ensure() {
  if (!installed()) {
    say('installing dependencies (npm ci)');
    await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  const stale = staleParts();
  if (stale.length > 0) {
    const { build } = await import('./build.mjs');
    await build(stale);
  }
}

/** Prints one line about what is being done; kept on stderr so that stdout stays the program's. */
export function say(text) {
  process.stderr.write(`headgate: ${text}\n`);
}

/**
 * Runs a program in the project's root with this terminal's streams.
 * Rejects where it cannot be started or ends with anything but 0.
 */
export async function run(program, args, options = {}) {
  const code = await exitCode(program, args, options);
  if (code !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${code}`);
}

/** As `run`, but resolves with the exit code; 128 and above: ended by a signal. */
export function exitCode(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    // On Windows npm is a batch file, which only a shell can start.
    const shell = process.platform === 'win32' && program === 'npm';
    const child = spawn(program, args, { cwd: root, stdio: 'inherit', shell, ...options });
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 128 : 1)));
  });
}

/** Path of the JavaScript file behind an installed command. */
export function binary(packageName, command = packageName) {
  const folder = join(root, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof bin === 'string' ? bin : bin[command]);
}

/** Names of the parts whose outputs are missing or older than their sources. */
export function staleParts() {
  const stamps = readStamps();
  return Object.keys(parts).filter((name) => {
    const complete = parts[name].outputs.every((path) => existsSync(join(root, path)));
    return !complete || stamps[name] !== sourceHash(name);
  });
}

/** Hash over the names and bytes of the sources of one part. */
export function sourceHash(name) {
  const hash = createHash('sha256');
  for (const source of (parts[name] ?? optionalParts[name]).sources) addToHash(hash, source);
  return hash.digest('hex');
}

/** Records that a part was built from the sources with this hash. */
export function writeStamp(name, hash) {
  mkdirSync(dirname(stampPath), { recursive: true });
  writeFileSync(stampPath, JSON.stringify({ ...readStamps(), [name]: hash }));
}

function readStamps() {
  try {
    return JSON.parse(readFileSync(stampPath, 'utf8'));
  } catch {
    return {};
  }
}

function addToHash(hash, path) {
  const full = join(root, path);
  if (!existsSync(full)) return;
  let entries;
  try {
    entries = readdirSync(full, { withFileTypes: true });
  } catch {
    hash.update(`${path}\0`).update(readFileSync(full)).update('\0');
    return;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) addToHash(hash, `${path}/${entry.name}`);
}

/** True where npm's record of what it installed has every package of the lock file. */
function installed() {
  try {
    const wanted = readLock('package-lock.json');
    const found = readLock('node_modules/.package-lock.json');
    return Object.entries(wanted).every(([path, entry]) => {
      if (path === '' || entry.optional || entry.devOptional) return true;
      return found[path]?.version === entry.version;
    });
  } catch {
    return false;
  }
}

function readLock(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8')).packages;
}
