/**
 * `npm run build:native`: compiles the native driver to build/native/headgate.node. Nothing is
 * downloaded: node-gyp is npm's own copy, headers are those beside the running Node (or the folder
 * of `--nodedir`). `--prebuild` writes prebuilds/PLATFORM-ARCH/headgate.node instead, which the
 * package carries; `--sanitize` builds with AddressSanitizer and UndefinedBehaviorSanitizer, to
 * build/native-asan/. Skips what is up to date.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { exitCode, root, say, sourceHash } from './setup.mjs';

const source = join(root, 'src/native');

/** Why it cannot be built here, or null. */
export function obstacle(nodedir = defaultNodedir()) {
  if (process.platform !== 'linux') return `it is for Linux, this is ${process.platform}`;
  const compiler = process.env.CXX ?? 'g++';
  for (const program of [compiler, 'make', 'python3']) {
    if (spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0) {
      return `${program} is not installed`;
    }
  }
  if (!existsSync(join(nodedir, 'include/node/node_api.h'))) {
    return `no Node headers in ${join(nodedir, 'include/node')}`;
  }
  if (!existsSync(join(root, 'node_modules/node-addon-api/napi.h'))) {
    return 'node-addon-api is not installed';
  }
  return nodeGyp() ? null : 'npm has no node-gyp';
}

/** Builds one of the three kinds; resolves with the path. Throws `Error` where it fails. */
export async function buildNative({ kind = 'local', nodedir = defaultNodedir() } = {}) {
  const output = join(root, outputOf(kind));
  const stamp = join(root, 'build', `.native-${kind}`);
  const hash = `${sourceHash('native')} ${process.version}`;
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash)
    return output;
  const reason = obstacle(nodedir);
  if (reason) throw new Error(`the native driver cannot be built: ${reason}`);
  say(`building the native driver (${kind})`);
  const started = Date.now();
  const args = [nodeGyp(), 'rebuild', '--silent', '-C', source, `--nodedir=${nodedir}`, '-j', '2'];
  if (kind === 'sanitize') args.push('--', '-Dsanitize=yes');
  const code = await exitCode(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (code !== 0) throw new Error(`the native driver could not be built (node-gyp: ${code})`);
  mkdirSync(dirname(output), { recursive: true });
  // Under a name of its own first: a running process may have the old file mapped.
  copyFileSync(join(source, 'build/Release/headgate.node'), `${output}.new`);
  renameSync(`${output}.new`, output);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
  say(`built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return output;
}

function outputOf(kind) {
  if (kind === 'prebuild') return `prebuilds/${process.platform}-${process.arch}/headgate.node`;
  return `build/native${kind === 'sanitize' ? '-asan' : ''}/headgate.node`;
}

function defaultNodedir() {
  return dirname(dirname(process.execPath));
}

function nodeGyp() {
  const folder = join(dirname(dirname(process.execPath)), 'lib/node_modules/npm/node_modules');
  const path = join(folder, 'node-gyp/bin/node-gyp.js');
  return existsSync(path) ? path : undefined;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: {
      nodedir: { type: 'string' },
      prebuild: { type: 'boolean' },
      sanitize: { type: 'boolean' },
    },
  });
  const kind = values.prebuild ? 'prebuild' : values.sanitize ? 'sanitize' : 'local';
  try {
    await buildNative({ kind, nodedir: values.nodedir });
  } catch (error) {
    say(error.message);
    process.exitCode = 1;
  }
}
