/**
 * `npm run test:native:asan`: the native driver's suites with the addon built under
 * AddressSanitizer and UndefinedBehaviorSanitizer. Leaks are not looked for: Node itself gives its
 * memory back to the kernel, not to the allocator. Needs the sanitizers' libraries of the compiler.
 */
import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { buildNative } from './build-native.mjs';
import { binary, ensure, exitCode, say } from './setup.mjs';

/** Path of a library that belongs to the compiler. */
function library(name) {
  const compiler = process.env.CXX ?? 'g++';
  return execFileSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
}

try {
  await ensure();
  await buildNative();
  const folder = dirname(await buildNative({ kind: 'sanitize' }));
  const env = {
    ...process.env,
    HEADGATE_NATIVE_DIR: folder,
    HEADGATE_CORE: 'release',
    LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
    // Node answers SIGSEGV itself where Wasm leaves its memory.
    ASAN_OPTIONS: 'detect_leaks=0:allow_user_segv_handler=1:handle_segv=0:abort_on_error=1',
    UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  };
  const args = [
    binary('vitest'),
    'run',
    '--project',
    'native',
    '--testTimeout=120000',
    ...process.argv.slice(2),
  ];
  process.exitCode = await exitCode(process.execPath, args, { env });
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
