import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import { normalisePath } from '../../oracle/router-path.js';
import { normalise } from './harness.js';

const core = createCore();

describe('normal form of a path', () => {
  test.each([
    ['', ''],
    ['/', '/'],
    ['*', '*'],
    ['/a/b/c', '/a/b/c'],
    ['/index.html', '/index.html'],
    ['/a/./b', '/a/b'],
    ['/a//b//', '/a/b/'],
    ['//', '/'],
    ['////a', '/a'],
    ['/.', '/'],
    ['/./', '/'],
    ['/a/.', '/a/'],
    ['/a/..', '/'],
    ['/a/b/..', '/a/'],
    ['/a/b/../', '/a/'],
    ['/a/../b', '/b'],
    ['/a//../b', '/b'],
    ['/a/.b/..c/d..', '/a/.b/..c/d..'],
    ['/a/.../b', '/a/.../b'],
    ['/a/..;/b', '/a/..;/b'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%252Fb', '/a%252Fb'],
    ['/a/%252e%252e/b', '/a/%252e%252e/b'],
    ['/%7Eu/%5F', '/~u/_'],
    ['/a/%2e%2E/b', '/b'],
    ['/a%20b', '/a b'],
    ['/a%3ab', '/a%3Ab'],
    ['/a%5Bb%5d', '/a%5Bb%5D'],
    ['/a%0ab', '/a\nb'],
    ['/endel%c3%b8st', '/endel\xc3\xb8st'],
    ['/a/b%2F../c', '/a/b%2F../c'],
    ['/%2F', '/%2F'],
    [
      '/%21%2a%27%28%29%3b%3A%40%26%3D%2b%24%2C%3F%25%23',
      '/%21%2A%27%28%29%3B%3A%40%26%3D%2B%24%2C%3F%25%23',
    ],
  ])('%j becomes %j', (path, normal) => {
    expect(normalise(core, path)).toBe(normal);
  });

  test.each([
    '/%',
    '/%2',
    '/%zz',
    '/%2g',
    '/a%',
    '/%00',
    '/a\0b',
    '/..',
    '/../',
    '/a/../..',
    '/a/../../b',
    '/%2e%2e/a',
    '/a%2F..%2f..%2F..',
    '/a/%2F../../..',
  ])('%j is refused', (path) => {
    expect(normalise(core, path)).toBeNull();
  });

  test('agrees with the oracle, wherever a vector of 16 bytes ends', () => {
    const piece = fc.constantFrom(
      ...['/', '/', '/', '.', '..', 'a', 'bcd', '%2e', '%2F', '%2f', '%41', '%C3%B8', '%', ' '],
      ...['%25', '%20', '0123456789', '%0', ';', '\xff'],
    );
    const path = fc.array(piece, { maxLength: 24 }).map((parts) => `/${parts.join('')}`);
    fc.assert(
      fc.property(path, (text) => {
        expect(normalise(core, text)).toBe(normalisePath(text));
      }),
      { numRuns: 5000 },
    );
  });
});
