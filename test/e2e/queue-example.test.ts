import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { root } from '../tidy/tree.js';

test('examples/queue.mjs delivers every entry over a failure', () => {
  const output = execFileSync(process.execPath, ['examples/queue.mjs'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(output.split('\n').slice(0, 2)).toEqual([
    '7 wait',
    'warning: [] queue measurements: handler could not process entries: the receiver is away',
  ]);
  expect(output).toContain('drained: 7 delivered, 0 lost');
});
