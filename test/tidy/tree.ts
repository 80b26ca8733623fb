/** Lists the project's own files: what version control would see. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

const ignored = new Set([
  'node_modules',
  'dist',
  'build',
  'coverage',
  '.git',
  '.headgate',
  'results',
  'prebuilds',
]);

export interface TreeFile {
  /** Path from the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

/** Every text file of the project, sorted by path. */
export function projectFiles(): TreeFile[] {
  return list('').map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return { path, text, lines: text.replace(/\n$/, '').split('\n') };
  });
}

function list(folder: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  const paths: string[] = [];
  for (const entry of entries) {
    if (ignored.has(entry.name) || entry.name.endsWith('.log')) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) paths.push(...list(path));
    else if (entry.isFile()) paths.push(path);
  }
  return paths.sort();
}

/** True for code written by hand: TypeScript, AssemblyScript and the plain scripts. */
export function isCode(path: string): boolean {
  return /\.(ts|mjs|cc|h)$/.test(path) && !generated.includes(path);
}

/** Files that `npm run codegen` writes. */
export const generated = ['assembly/layout.ts', 'src/core/layout.ts', 'src/native/layout.h'];
