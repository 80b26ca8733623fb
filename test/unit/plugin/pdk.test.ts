import { describe, expect, test, vi } from 'vitest';
import { parseRange } from '../../../src/core/address.js';
import {
  checkMax,
  firstArgument,
  parseArguments,
  withoutArgument,
  writeArguments,
} from '../../../src/plugin/pdk/arguments.js';
import { LruCache } from '../../../src/plugin/pdk/cache.js';
import { Forwarded } from '../../../src/plugin/pdk/forwarded.js';
import { isTrusted } from '../../../src/plugin/pdk/host.js';
import { requirePhase } from '../../../src/plugin/pdk/phase-guard.js';

describe('arguments', () => {
  test.each([
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=1&a=2&a', { a: ['1', '2', true] }],
    ['a&b=', { a: true, b: '' }],
    ['a+b=c+d', { 'a b': 'c d' }],
    ['%61=%C3%A4', { a: 'ä' }],
    ['a=%zz&b=%4', { a: '%zz', b: '%4' }],
    ['a=%ff%41', { a: '\u00ffA' }],
    ['=x&&a=1', { a: '1' }],
    ['a=b=c', { a: 'b=c' }],
    ['__proto__=1', { ['__proto__']: '1' }],
    ['', {}],
  ])('%s', (text, expected) => {
    expect({ ...parseArguments(text, 100) }).toEqual({ ...expected });
  });

  test('those after the first are left out', () => {
    expect({ ...parseArguments('a=1&b=2&c=3', 2) }).toEqual({ a: '1', b: '2' });
    expect(checkMax('x', 1000)).toBe(1000);
    for (const max of [0, 1001, 1.5])
      expect(() => checkMax('x', max)).toThrow('expected 1 to 1000');
  });

  test('one is found, taken out, and written', () => {
    expect(firstArgument('b=1&a&a=2', 'a')).toBe(true);
    expect(firstArgument('b=1', 'a')).toBeNull();
    expect(withoutArgument('x=1&%61=2&y=+&a=3', 'a')).toBe('x=1&y=+');
    expect(writeArguments({ z: 1, a: ['x y', true], m: true })).toBe('a=x%20y&a&m&z=1');
  });
});

describe('cache', () => {
  function cacheAt(most = 10) {
    const clock = { ms: 0 };
    return { clock, cache: new LruCache(() => clock.ms, most) };
  }

  test('runs a load once for all who wait, and keeps absence', async () => {
    const { cache, clock } = cacheAt();
    const load = vi.fn(async () => null);
    const options = { ttlMs: 100, negativeTtlMs: 10 };
    const asked = [cache.get('k', options, load), cache.get('k', options, load)];
    expect(await Promise.all(asked)).toEqual([null, null]);
    await cache.get('k', options, load);
    expect(load).toHaveBeenCalledTimes(1);
    clock.ms = 11;
    await cache.get('k', options, load);
    expect(load).toHaveBeenCalledTimes(2);
  });

  test('gives an old value where loading fails, while it may', async () => {
    const { cache, clock } = cacheAt();
    const options = { ttlMs: 10, staleMs: 10 };
    expect(await cache.get('k', options, () => 'old')).toBe('old');
    const fail = () => Promise.reject(new Error('down'));
    clock.ms = 15;
    expect(await cache.get('k', options, fail)).toBe('old');
    clock.ms = 20;
    await expect(cache.get('k', options, fail)).rejects.toThrow('down');
    expect(await cache.get('k', options, () => 'new')).toBe('new');
  });

  test('lets the least recently used go', () => {
    const { cache } = cacheAt(2);
    cache.set('a', 1);
    cache.set('b', 2);
    expect(cache.peek('a')).toBe(1);
    cache.set('c', 3);
    expect([cache.peek('a'), cache.peek('b'), cache.peek('c')]).toEqual([1, undefined, 3]);
    cache.delete('a');
    cache.clear();
    expect(cache.peek('c')).toBeUndefined();
  });
});

describe('forwarded', () => {
  const forwarded = (headers: Record<string, string>, trusted = true) =>
    new Forwarded(
      {
        scheme: 'http',
        host: 'own.test',
        port: 8000,
        path: '/p',
        header: (name) => headers[name] ?? null,
      },
      trusted,
      '/pre',
    );

  test('is the connection where the peer is not trusted', () => {
    const { scheme, host, port, path, prefix } = forwarded({ 'x-forwarded-host': 'h' }, false);
    expect([scheme, host, port, path, prefix]).toEqual(['http', 'own.test', 8000, '/p', '/pre']);
  });

  test.each([
    [{ 'x-forwarded-host': 'u@H.test:90' }, { host: 'h.test', port: 90 }],
    [
      { 'x-forwarded-host': '[::1]:90', 'x-forwarded-port': '91' },
      { host: '[::1]', port: 91 },
    ],
    [{ 'x-forwarded-port': '70000' }, { port: 8000 }],
    [{ 'x-forwarded-proto': 'HTTPS' }, { scheme: 'https' }],
    [
      { 'x-forwarded-path': '/q', 'x-forwarded-prefix': '/r' },
      { path: '/q', prefix: '/r' },
    ],
  ])('%j', (headers, expected) => {
    expect(forwarded(headers as Record<string, string>)).toMatchObject(expected);
  });
});

describe('node', () => {
  test('trusts the addresses of its ranges', () => {
    const ranges = ['10.0.0.0/9', '::1'].map((text) => parseRange(text) ?? fail(text));
    expect(isTrusted(ranges, '10.127.1.1')).toBe(true);
    expect(isTrusted(ranges, '10.128.1.1')).toBe(false);
    expect(isTrusted(ranges, '::1')).toBe(true);
    expect(isTrusted(ranges, 'nonsense')).toBe(false);
  });

  test('names the phases of a function that is called in another', () => {
    expect(() => requirePhase('log', 'response.exit', ['rewrite', 'access'])).toThrow(
      'response.exit: function cannot be called in log phase (only in: rewrite, access)',
    );
  });
});

function fail(text: string): never {
  throw new Error(text);
}
