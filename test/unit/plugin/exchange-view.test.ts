import { describe, expect, test } from 'vitest';
import { ExchangeView } from '../../../src/core/exchange-view.js';
import type { Core } from '../../../src/core/instance.js';
import { HeaderEntry, PhaseView, Region } from '../../../src/core/layout.js';
import { RequestView } from '../../../src/plugin/request-view.js';

const noBody = async () => new Uint8Array(0);

/** Memory as the core leaves it during a phase, without a core. */
class Memory {
  readonly core: Core;
  #next = 0x60000;

  constructor(target: string, headers: readonly (readonly [string, string])[]) {
    const bytes = new ArrayBuffer(0x100000);
    this.core = {
      u8: new Uint8Array(bytes),
      u16: new Uint16Array(bytes),
      u32: new Uint32Array(bytes),
      f64: new Float64Array(bytes),
      buffer: Buffer.from(bytes),
    } as Core;
    this.#span(PhaseView.method, PhaseView.methodLength, 'POST');
    this.#span(PhaseView.target, PhaseView.targetLength, target);
    this.#span(PhaseView.path, PhaseView.pathLength, '/normal');
    const at = Region.requestHeaders.offset;
    this.#set(PhaseView.headers, at);
    this.#set(PhaseView.headerCount, headers.length);
    headers.forEach(([name, value], index) => {
      const entry = at + index * HeaderEntry.size;
      this.core.u32[entry >> 2] = this.#text(name);
      this.core.u32[(entry + HeaderEntry.value) >> 2] = this.#text(value);
      this.core.u16[(entry + HeaderEntry.nameLength) >> 1] = name.length;
      this.core.u16[(entry + HeaderEntry.valueLength) >> 1] = value.length;
    });
  }

  clear(): void {
    this.core.u8.fill(0);
  }

  #set(field: number, value: number): void {
    this.core.u32[(Region.phaseView.offset + field) >> 2] = value;
  }

  #span(field: number, lengthField: number, text: string): void {
    this.#set(field, this.#text(text));
    this.#set(lengthField, text.length);
  }

  #text(text: string): number {
    const at = this.#next;
    this.core.buffer.latin1Write(text, at);
    this.#next += text.length + 1;
    return at;
  }
}

const headers = [
  ['Host', 'Shop.Example:8080'],
  ['X-Many', 'one'],
  ['x-many', 'two'],
  ['X-Latin', 'caf\xe9'],
] as const;

describe('a request as plugins see it', () => {
  test('fields are found in any case, the first one counts', () => {
    const request = new RequestView(new ExchangeView(new Memory('/', headers).core), noBody);
    expect(request.header('x-MANY')).toBe('one');
    expect(request.header('X-Latin')).toBe('caf\xe9');
    expect(request.header('x-man')).toBeNull();
    expect(request.headers()).toEqual({
      host: 'Shop.Example:8080',
      'x-many': ['one', 'two'],
      'x-latin': 'caf\xe9',
    });
  });

  test('target, path, query and host are taken apart', () => {
    const target = '/a%20b/../c?x=1&x=2&y=a+b%21&flag&bad=%zz';
    const request = new RequestView(new ExchangeView(new Memory(target, headers).core), noBody);
    expect(request.method).toBe('POST');
    expect(request.path).toBe('/normal');
    expect(request.rawPath).toBe('/a%20b/../c');
    expect(request.rawQuery).toBe('x=1&x=2&y=a+b%21&flag&bad=%zz');
    expect(request.host).toBe('shop.example');
    expect(request.query('x')).toBe('1');
    expect(request.query('y')).toBe('a b!');
    expect(request.query('flag')).toBe('');
    expect(request.query('bad')).toBe('%zz');
    expect(request.query('none')).toBeNull();
  });

  test('an absolute-form target names the host', () => {
    const memory = new Memory('http://user@Other.Example:1/p?q', headers);
    const request = new RequestView(new ExchangeView(memory.core), noBody);
    expect([request.host, request.rawPath, request.rawQuery]).toEqual(['other.example', '/p', 'q']);
  });

  test('a detached view stays as it was when the memory changes', () => {
    const memory = new Memory('/stay?a=b', headers);
    const view = new ExchangeView(memory.core);
    const request = new RequestView(view, noBody);
    view.detach();
    memory.clear();
    expect(request.method).toBe('POST');
    expect(request.rawPath).toBe('/stay');
    expect(request.headers()['x-many']).toEqual(['one', 'two']);
    view.attach();
    expect(request.method).toBe('');
  });

  test('the private copy is used again for the next request', () => {
    const memory = new Memory('/first', headers);
    const view = new ExchangeView(memory.core);
    view.detach();
    const other = new Memory('/second/longer', headers.slice(0, 1));
    memory.core.u8.set(other.core.u8);
    view.attach();
    view.detach();
    memory.clear();
    const request = new RequestView(view, noBody);
    expect(request.rawPath).toBe('/second/longer');
    expect(request.headers()).toEqual({ host: 'Shop.Example:8080' });
  });
});
