/** Writes the generated files under the project root given as the only argument. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emit } from './emit.js';

const root = process.argv[2] ?? process.cwd();
for (const file of emit()) {
  const path = join(root, file.path);
  let before = '';
  try {
    before = readFileSync(path, 'utf8');
  } catch {
    // first run
  }
  if (before !== file.text) writeFileSync(path, file.text);
}
