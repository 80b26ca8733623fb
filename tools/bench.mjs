/**
 * `npm run bench [WORD...]`: compiles bench/ and runs each file (whose name has one of the words)
 * in a process of its own. Compiled rather than transformed on the fly, because a module runner's
 * indirect imports would be what is measured.
 */
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { binary, ensure, exitCode, root, run, say } from './setup.mjs';

const output = join(root, '.headgate/bench');

async function compile() {
  mkdirSync(output, { recursive: true });
  // The sources look for these beside their own root.
  for (const name of ['build', 'package.json']) {
    const link = join(output, name);
    if (!existsSync(link)) symlinkSync(join('../..', name), link);
  }
  const tsc = binary('typescript', 'tsc');
  const code = await exitCode(process.execPath, [tsc, '-p', 'bench/tsconfig.json']);
  if (code !== 0) say('the benchmarks have type errors; running what was compiled');
}

async function bench(words) {
  await ensure();
  await compile();
  const files = readdirSync(join(root, 'bench')).filter((name) => name.endsWith('.bench.ts'));
  for (const file of files.sort()) {
    if (words.length > 0 && !words.some((word) => file.includes(word))) continue;
    const compiled = join(output, 'bench', file.replace(/\.ts$/, '.js'));
    await run(process.execPath, [join(output, 'bench/lib/main.js'), compiled]);
  }
}

try {
  await bench(process.argv.slice(2));
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
