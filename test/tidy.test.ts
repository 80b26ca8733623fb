/**
 * The house rules, as tests. A rule that must be broken once is broken in a table here, with its
 * reason, so that the next reader meets both.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emit } from '../src/codegen/emit.js';
import { errorTable } from '../src/errors.js';
import { limits } from '../src/limits.js';
import { functionsOf } from './tidy/functions.js';
import { generated, isCode, projectFiles, root } from './tidy/tree.js';
import { wasmImports } from './tidy/wasm-imports.js';

const FILE_LINES_TARGET = 400;
const FILE_LINES_MAX = 600;
const FUNCTION_LINES_MAX = 70;
const COLUMNS_MAX = 100;

/** Files above the target, with the reason. Never above the maximum. */
const longFiles: Record<string, string> = {};

/** Functions above the maximum: `path name`, with what was measured. */
const longFunctions: Record<string, string> = {};

const files = projectFiles();
const code = files.filter((file) => isCode(file.path));
const self = 'test/tidy.test.ts';

describe('sizes', () => {
  test(`a file has at most ${FILE_LINES_TARGET} lines, or a listed reason`, () => {
    const long = code.filter(({ path, lines }) => {
      return lines.length > (path in longFiles ? FILE_LINES_MAX : FILE_LINES_TARGET);
    });
    expect(long.map(({ path, lines }) => `${path}: ${lines.length} lines`)).toEqual([]);
  });

  test('every listed reason for a long file is still needed', () => {
    const needed = code.filter(({ lines }) => lines.length > FILE_LINES_TARGET);
    expect(Object.keys(longFiles)).toEqual(
      Object.keys(longFiles).filter((path) => needed.some((file) => file.path === path)),
    );
  });

  test(`a function has at most ${FUNCTION_LINES_MAX} lines`, () => {
    const long: string[] = [];
    for (const { path, text } of code.filter(({ path }) => /ts$|mjs$/.test(path))) {
      for (const { name, line, lineCount } of functionsOf(path, text)) {
        if (lineCount <= FUNCTION_LINES_MAX || `${path} ${name}` in longFunctions) continue;
        long.push(`${path}:${line} ${name}: ${lineCount} lines`);
      }
    }
    expect(long).toEqual([]);
  });

  test(`a line has at most ${COLUMNS_MAX} columns`, () => {
    expect(linesWith(code, (line) => [...line].length > COLUMNS_MAX)).toEqual([]);
  });
});

describe('doors', () => {
  test('only src/core names WebAssembly', () => {
    const outside = code.filter(({ path }) => {
      return path.startsWith('src/') && !path.startsWith('src/core/');
    });
    expect(linesWith(outside, (line) => withoutComment(line).includes('WebAssembly'))).toEqual([]);
  });

  test('raw loads and stores live in assembly/bytes.ts and in files that say why', () => {
    const raw = /\b(?:load|store)(?:\d+(?:_\w+)?)?<|\bv128\.(?:load|store)/;
    const unmarked = code.filter(({ path, lines }) => {
      if (!path.startsWith('assembly/') || path === 'assembly/bytes.ts') return false;
      return !lines.slice(0, 8).some((line) => /raw memory: \S/.test(line));
    });
    expect(linesWith(unmarked, (line) => raw.test(withoutComment(line)))).toEqual([]);
  });

  test('the release core imports nothing but the phase call', () => {
    const imports = wasmImports(readFileSync(join(root, 'build/release.wasm')));
    expect(imports).toEqual([{ module: 'env', name: 'phase', kind: 'function' }]);
  });

  test('the benchmark package is known to one file', () => {
    const users = code
      .filter(({ text }) => /^import .* from 'benchmark'/m.test(text))
      .map(({ path }) => path);
    expect(users).toEqual(['bench/lib/suite.ts']);
  });
});

describe('shape', () => {
  test('no file is called utils, and names are kebab-case', () => {
    const names = code.map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
    expect(names.filter((name) => /^(utils?|helpers?|misc)\./.test(name))).toEqual([]);
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)+$/.test(name))).toEqual(
      [],
    );
  });

  test('an index.ts only re-exports', () => {
    const indexes = code.filter(({ path }) => /^src\/(.*\/)?index\.ts$/.test(path));
    const allowed = /^(export (type )?(\*|\{)|\s+(type )?[\w$]+( as [\w$]+)?,$|\} from '|import )/;
    const other = linesWith(indexes, (line) => {
      const bare = withoutComment(line).trimEnd();
      return bare !== '' && !allowed.test(bare);
    });
    expect(other).toEqual([]);
  });

  test('no test is skipped, focused or left to do', () => {
    const tests = code.filter(({ path }) => path.startsWith('test/') && path !== self);
    const marked = /\b(?:test|it|describe|suite)\.(?:skip|only|todo|skipIf|runIf|fails)\b/;
    expect(linesWith(tests, (line) => marked.test(line))).toEqual([]);
  });

  test('no file names this machine or a package registry', () => {
    const ours = files.filter(({ path }) => path !== self && !path.startsWith('test/compat/'));
    const place = /(?:^|[\s'"`(=:])\/(?:work|root|home)\/\w|registry\.(?:npmjs|yarnpkg)\./;
    expect(linesWith(ours, (line) => place.test(line))).toEqual([]);
  });
});

describe('one definition', () => {
  test('generated files are fresh', () => {
    const stale = emit().filter(
      ({ path, text }) => readFileSync(join(root, path), 'utf8') !== text,
    );
    expect(stale.map(({ path }) => path)).toEqual([]);
    expect(emit().map(({ path }) => path)).toEqual(generated);
  });

  test('every limit is enforced somewhere', () => {
    const shell = textOf((path) => path.startsWith('src/') && path !== 'src/limits.ts');
    const core = textOf((path) => /^(?:assembly|src\/native)\//.test(path));
    const dead = Object.keys(limits).filter((name) => {
      const constant = `LIMIT_${name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}`;
      return !word(`limits.${name}`).test(shell) && !word(constant).test(core);
    });
    expect(dead).toEqual([]);
  });

  test('every error of the table is raised somewhere', () => {
    const shell = textOf((path) => path.startsWith('src/') && path !== 'src/errors.ts');
    expect(Object.keys(errorTable).filter((name) => !word(name).test(shell))).toEqual([]);
  });
});

/** `path:line` of every line that the predicate holds for. */
function linesWith(list: typeof files, holds: (line: string) => boolean): string[] {
  return list.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (holds(line) ? [`${path}:${index + 1}`] : [])),
  );
}

/** The line without `//` comments and lines of block comments. */
function withoutComment(line: string): string {
  if (/^\s*(?:\/?\*|\/\/)/.test(line)) return '';
  return line.replace(/\s\/\/\s.*$/, '');
}

function textOf(wanted: (path: string) => boolean): string {
  return code
    .filter(({ path }) => wanted(path))
    .map(({ text }) => text)
    .join('\n');
}

function word(text: string): RegExp {
  return new RegExp(`\\b${text.replace('.', '\\.')}\\b`);
}
