import { expect, test } from 'vitest';
import { chooseDriver } from '../../../src/driver/choose.js';
import type { NativeAddon } from '../../../src/native/loader.js';
import { oneService, startGateway, startUpstream } from '../../support/gateway.js';
import { loopback, testDriver, testHandles } from '../../support/plane.js';

const none = () => ({ reason: 'it is not built' });
const some = () => ({ addon: { layoutHash: 1 } as NativeAddon });

test('auto takes the native driver where there is one, and says so', () => {
  const choice = chooseDriver({ driver: 'auto', proxyListen: [loopback] }, some);
  expect(choice).toMatchObject({ name: 'native', reason: 'the fastest that works here' });
});

test('auto falls back to net, with the reason', () => {
  const choice = chooseDriver({ driver: 'auto', proxyListen: [loopback] }, none);
  expect(choice).toMatchObject({ name: 'net', reason: 'no native driver: it is not built' });
});

test.each([{ ssl: true }, { http2: true }])('auto takes net for a listener with %o', (flag) => {
  const choice = chooseDriver({ driver: 'auto', proxyListen: [{ ...loopback, ...flag }] }, some);
  expect(choice.name).toBe('net');
  expect(choice.reason).toContain('ssl or http2');
});

test('net is taken when asked for, though native would work', () => {
  const choice = chooseDriver({ driver: 'net', proxyListen: [loopback] }, some);
  expect(choice).toMatchObject({ name: 'net', reason: 'asked for' });
});

test('native that is asked for and missing is an error that says why', () => {
  const choose = () => chooseDriver({ driver: 'native', proxyListen: [loopback] }, none);
  expect(choose).toThrow(expect.objectContaining({ code: 'GW_E_DRIVER' }));
  expect(choose).toThrow('driver = native cannot serve: it is not built');
});

test('the driver and why are in the log and in /status', async () => {
  const { url } = await startUpstream();
  const { admin, lines } = await startGateway({ config: oneService(url) });
  const status = (await (await fetch(`${admin}/status`)).json()) as { driver: object };
  const handles = { handles: testHandles === 'off' ? 'public: net_handles = off' : 'bare' };
  const facts = { reason: 'asked for', ...(testDriver === 'net' && handles) };
  expect(status.driver).toEqual({ name: testDriver, ...facts });
  const started = lines.find(({ msg }) => msg === 'gateway started');
  expect(started).toMatchObject({ driver: testDriver, ...facts });
});
