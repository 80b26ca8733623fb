import { expect, test } from 'vitest';
import { createLogger } from '../../../src/observe/logger.js';

test('credentials never reach a line, at the top, in headers and one level down', () => {
  const lines: string[] = [];
  const logger = createLogger({ stream: { write: (line: string) => void lines.push(line) } });
  logger.info({ password: 'p4ss', headers: { authorization: 'p4ss', 'x-a': 'kept' } }, 'one');
  logger.info({ config: { token: 'p4ss', headers: { cookie: 'p4ss' } } }, 'two');
  expect(lines.join('')).not.toContain('p4ss');
  expect(lines.join('')).toContain('kept');
  expect(JSON.parse(lines[0])).toMatchObject({ level: 'info', msg: 'one', password: 'REDACTED' });
});

test('lines below the level are not written', () => {
  const lines: string[] = [];
  const logger = createLogger({
    level: 'warn',
    stream: { write: (line: string) => void lines.push(line) },
  });
  logger.info({}, 'no');
  logger.child({ plugin: 'x' }).error({}, 'yes');
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['yes']);
});
