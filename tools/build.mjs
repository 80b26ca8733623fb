/**
 * Builds dist/ (TypeScript) and build/ (the core, three targets). With `--codegen` it first writes
 * the generated files of both sides; without, it refuses where they are out of date.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { binary, exitCode, parts, root, run, say, sourceHash, writeStamp } from './setup.mjs';

/** Modules, as target and configuration: the core three times, and that of stand-alone queues. */
const modules = [
  ['release', 'asconfig.json'],
  ['checked', 'asconfig.json'],
  ['debug', 'asconfig.json'],
  ['release', 'asconfig.queue.json'],
];

/** Builds the named parts, all of them by default. Throws `Error` where one fails. */
export async function build(names = Object.keys(parts)) {
  const labels = { typescript: 'TypeScript', core: 'the Wasm core' };
  say(`building ${names.map((name) => labels[name]).join(' and ')}`);
  const started = Date.now();
  const hashes = names.map((name) => [name, sourceHash(name)]);
  const jobs = [];
  if (names.includes('typescript')) jobs.push(buildTypeScript());
  if (names.includes('core')) jobs.push(...modules.map(buildModule));
  const results = await Promise.allSettled(jobs);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  for (const [name, hash] of hashes) writeStamp(name, hash);
  say(`built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

async function buildTypeScript() {
  await run(process.execPath, [binary('typescript', 'tsc'), '-p', 'tsconfig.json']);
  pruneOutput(join(root, 'dist'), join(root, 'src'));
  const stale = await staleGenerated();
  if (stale.length > 0) throw new Error(`${stale.join(', ')} out of date: npm run codegen`);
  writeSchema();
}

function buildModule([target, config]) {
  const asc = binary('assemblyscript', 'asc');
  return run(process.execPath, [asc, '--config', config, '--target', target]);
}

/** Removes outputs whose source is gone, so that a package never carries them. */
function pruneOutput(outputFolder, sourceFolder) {
  for (const entry of readdirSync(outputFolder, { withFileTypes: true })) {
    const output = join(outputFolder, entry.name);
    if (entry.isDirectory()) {
      pruneOutput(output, join(sourceFolder, entry.name));
      continue;
    }
    const match = /^(.+?)\.(?:d\.ts|js|js\.map)$/.exec(entry.name);
    if (match && !existsSync(join(sourceFolder, `${match[1]}.ts`))) rmSync(output);
  }
}

/** Paths of generated files that differ from what the generator would write now. */
async function staleGenerated() {
  const { emit } = await import(pathToFileURL(join(root, 'dist/codegen/emit.js')));
  return emit()
    .filter((file) => readFileSync(join(root, file.path), 'utf8') !== file.text)
    .map((file) => file.path);
}

/** Writes dist/schema.json, what editors load to complete configuration files. */
function writeSchema() {
  const cli = join(root, 'dist/cli.js');
  if (!existsSync(cli)) return;
  writeFileSync(join(root, 'dist/schema.json'), execFileSync(process.execPath, [cli, 'schema']));
}

/** Writes the generated files. The compiler emits even where other files have errors. */
async function codegen() {
  say('writing generated files');
  await exitCode(process.execPath, [binary('typescript', 'tsc'), '-p', 'tsconfig.json']);
  await run(process.execPath, ['dist/codegen/main.js', root]);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    if (process.argv.includes('--codegen')) await codegen();
    await build();
  } catch (error) {
    say(error.message);
    process.exitCode = 1;
  }
}
