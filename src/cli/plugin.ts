/** `headgate plugin init|test|lint`: the workshop for plugins of one's own. */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { lintPlugins } from '../plugin/lint.js';
import { loadPlugins } from '../plugin/registry.js';
import { exitCodes, fail, failWith } from './exit.js';
import { templateFiles } from './plugin-template.js';

const usage = `usage: headgate plugin init NAME     a folder with handler, schema, tests and README
       headgate plugin test [DIR]   runs DIR/test/*.test.mjs
       headgate plugin lint PATH... what is wrong, or will be, with plugins`;

/** Carries out one of the three; returns the exit code. */
export async function plugin([verb, ...rest]: readonly string[]): Promise<number> {
  if (verb === 'init' && rest.length === 1) return init(rest[0]);
  if (verb === 'test' && rest.length < 2) return test(rest[0] ?? '.');
  if (verb === 'lint' && rest.length > 0) return lint(rest);
  return fail(usage);
}

async function init(name: string): Promise<number> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    return fail(`'${name}': a name is lower-case words joined by dashes`);
  }
  try {
    // Fails where the folder is there already: nothing of somebody's is written over.
    await mkdir(name);
    for (const [file, text] of Object.entries(templateFiles(name))) {
      const path = join(name, file);
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, text);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return fail(code === 'EEXIST' ? `${name} is there already` : message);
  }
  process.stdout.write(`${name}: written. Next: cd ${name} && npm install && npm test\n`);
  return exitCodes.done;
}

function test(folder: string): Promise<number> {
  const child = spawn(process.execPath, ['--test', 'test/'], { cwd: folder, stdio: 'inherit' });
  return new Promise((done) => {
    child.once('error', (error) => done(failWith(error)));
    child.once('exit', (code) => done(code === 0 ? exitCodes.done : exitCodes.running));
  });
}

async function lint(paths: readonly string[]): Promise<number> {
  try {
    const names = paths.map((path) => resolve(path));
    const findings = lintPlugins([...(await loadPlugins({ names })).values()]);
    for (const { plugin: name, level, message } of findings) {
      process.stdout.write(`${name}: ${level}: ${message}\n`);
    }
    const errors = findings.filter(({ level }) => level === 'error').length;
    if (findings.length === 0) process.stdout.write('nothing to say against it\n');
    return errors > 0 ? exitCodes.config : exitCodes.done;
  } catch (error) {
    return failWith(error);
  }
}
