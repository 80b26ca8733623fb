/** What `npm publish` would ship, installed as a user has it: it imports and its types resolve. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from './tidy/tree.js';

const folder = mkdtempSync(join(tmpdir(), 'headgate-packed-'));
const modules = join(folder, 'node_modules');
const installed = join(modules, 'headgate');
let paths: string[] = [];

/** `npm install` of the tarball without a registry: its dependencies are the ones here. */
beforeAll(() => {
  const npm = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const report = execFileSync('npm', npm, { cwd: root, encoding: 'utf8' });
  const [{ filename, files }] = JSON.parse(report);
  paths = files.map((file: { path: string }) => file.path);
  mkdirSync(installed, { recursive: true });
  const archive = join(folder, filename);
  execFileSync('tar', ['-xzf', archive, '-C', installed, '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  for (const name of [...Object.keys(dependencies), '@types', 'undici-types']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction');
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the package carries what its exports name, and no sources or tests', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const named = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry as Record<string, string>),
  );
  const wanted = [
    ...named,
    ...(Object.values(manifest.bin) as string[]),
    'build/release.wasm',
    'build/queue.wasm',
  ];
  expect(paths).toEqual(expect.arrayContaining(wanted.map((path) => path.replace(/^\.\//, ''))));
  expect(paths.filter((path) => /^(src|test|assembly|tools|bench)\//.test(path))).toEqual([]);
});

test('the installed package imports and prints its version', () => {
  const script = "import('headgate').then((m) => console.log(typeof m.createGateway))";
  const run = (args: string[]) => {
    return execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' }).trim();
  };
  expect(run(['-e', script])).toBe('function');
  const queue = `import('headgate/queue').then(({ createQueue }) => {
    const handler = (entries) => console.log(entries.join()) === undefined;
    createQueue({ name: 'q', max_batch_size: 2, handler }).enqueue('one');
  })`;
  expect(run(['-e', queue])).toBe('one');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(run([join(installed, 'dist/cli.js'), 'version'])).toContain(version);
});

test('its types resolve for a strict user', () => {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(folder, 'user.ts'),
    `import { createGateway, definePlugin } from 'headgate';
import { createQueue } from 'headgate/queue';
export const queue = createQueue<string>({ name: 'q', handler: ([text]) => text.length > 0 });
export const make: typeof createGateway = createGateway;
export const plugin: typeof definePlugin = definePlugin;
// @ts-expect-error: options of another type are refused
createGateway(1);
`,
  );
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022'];
  const types = ['--lib', 'es2023,esnext.disposable', '--types', 'node'];
  const args = [tsc, ...options, ...types, 'user.ts'];
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
});
