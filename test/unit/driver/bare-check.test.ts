/** A Node whose handles differ in one thing must be found out, and the public API used there. */
import { expect, test } from 'vitest';
import { checkHandles } from '../../../src/driver/bare/check.js';
import { type BareHandle, loadBareBindings } from '../../../src/driver/bare/handles.js';

/** The real bindings, but for what handles made to connect do otherwise. */
function differing(change: (handle: BareHandle) => Partial<BareHandle>) {
  const real = loadBareBindings();
  const makeTcp = () => {
    const handle = real.makeTcp();
    for (const [name, value] of Object.entries(change(handle))) {
      Object.defineProperty(handle, name, { value });
    }
    return handle;
  };
  return () => ({ ...real, makeTcp });
}

const fine = () => 0;
const cases: [string, string, (handle: BareHandle) => Partial<BareHandle>][] = [
  ['never connect', 'connecting: no answer', () => ({ connect: fine })],
  ['cannot connect', 'connecting: no answer', () => ({ connect: () => -22 })],
  ['lose a text', 'a short write: no answer', () => ({ writeLatin1String: fine })],
  ['lose a buffer', 'a short write: no answer', () => ({ writeBuffer: fine })],
  ['do not pause', 'a long write: a paused end reads', () => ({ readStop: fine })],
  ['never end', 'the ends: no answer', () => ({ shutdown: fine })],
  ['cannot reset', 'a reset: no answer', (handle) => ({ reset: () => handle.close() ?? 0 })],
];

test('the handles of this Node pass', async () => {
  expect(await checkHandles(loadBareBindings)).toMatchObject({ bindings: expect.anything() });
});

test.each(cases)('handles that %s are not used', async (_what, reason, change) => {
  const found = await checkHandles(differing(change), 1500);
  expect(found).toEqual({ reason: `the check of handles failed at ${reason}` });
});

test('a text that arrives as other bytes is found out', async () => {
  const wrong = differing((handle) => {
    const write = handle.writeLatin1String.bind(handle);
    return { writeLatin1String: (request) => write(request, 'ping') };
  });
  const reason = 'the check of handles failed at a short write: other bytes arrive';
  expect(await checkHandles(wrong)).toEqual({ reason });
});

test('bindings that are missing are the reason', async () => {
  const load = () => {
    throw new Error('no TCP');
  };
  expect(await checkHandles(load)).toEqual({ reason: 'no TCP' });
});
