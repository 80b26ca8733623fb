import { expect, test } from 'vitest';
import { BodyBuffer } from '../../../src/filter/body-buffer.js';

const shown = (buffer: BodyBuffer): string =>
  Buffer.from(buffer.bytes.subarray(0, buffer.size)).toString();

test('a piece goes through as it came where nobody changes it', () => {
  const piece = Buffer.from('piece');
  const [first, last] = [new BodyBuffer(), new BodyBuffer()];
  first.append(piece);
  first.moveTo(last);
  expect(last.take()).toBe(piece);
  expect([first.size, last.size]).toEqual([0, 0]);
});

test('changes are made in memory of its own', () => {
  const piece = Buffer.from('piece');
  const buffer = new BodyBuffer();
  buffer.append(piece);
  buffer.splice(0, 2, Buffer.from('--'));
  buffer.append(Buffer.from('!'));
  expect([shown(buffer), piece.toString()]).toEqual(['--ece!', 'piece']);
});

test('what was taken does not change with what comes then', () => {
  const buffer = new BodyBuffer();
  const taken = [1, 2].map((number) => {
    buffer.append(Buffer.from('a'));
    buffer.append(Buffer.from(String(number)));
    return buffer.take();
  });
  buffer.append(Buffer.from('b'));
  buffer.append(Buffer.from('3'));
  expect(taken.map((bytes) => Buffer.from(bytes).toString())).toEqual(['a1', 'a2']);
});

test('a chain of buffers passes on every byte once, in order', () => {
  const chain = [new BodyBuffer(), new BodyBuffer(), new BodyBuffer()];
  let state = 7;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x100000000) * below);
  };
  let given = '';
  let received = '';
  for (let i = 0; i < 5000; i++) {
    const text = String.fromCharCode(97 + (i % 26)).repeat(next(300) + 1);
    const at = next(chain.length + 1);
    if (at === 0) {
      given += text;
      chain[0].append(Buffer.from(text));
    } else if (at < chain.length) chain[at - 1].moveTo(chain[at]);
    else received += Buffer.from(chain[at - 1].take()).toString();
    if (next(50) === 0) for (const buffer of chain) buffer.splice(0, 0, new Uint8Array(0));
  }
  chain[0].moveTo(chain[1]);
  chain[1].moveTo(chain[2]);
  received += Buffer.from(chain[2].take()).toString();
  expect(received === given).toBe(true);
});
