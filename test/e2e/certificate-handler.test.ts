/** Plugins at TLS handshakes: before the certificate is chosen. */
import { expect, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import { selfSigned } from '../../src/tls/self-signed.js';
import { startGateway } from '../support/gateway.js';
import { askTls, pemFingerprint } from '../support/tls.js';

const settings = { proxy_listen: '127.0.0.1:0 ssl' };
const own = selfSigned(Date.now());
const seen: unknown[] = [];

const bringing = definePlugin({
  name: 'bringing',
  version: '1.0.0',
  priority: 10,
  schema: { fields: { name: { type: 'string', required: true } } },
  async certificate(ctx) {
    await Promise.resolve();
    seen.push([ctx.serverName, ctx.client.ip, ctx.client.port > 0]);
    if (ctx.serverName === ctx.config.name) ctx.useCertificate(own.cert, own.key);
  },
});

const failing = definePlugin({
  name: 'failing',
  version: '1.0.0',
  priority: 20,
  schema: { fields: {} },
  certificate(ctx) {
    if (ctx.serverName === 'mine.test') throw new Error('on purpose');
  },
});

test('a handler brings a certificate, one that fails stops nothing', async () => {
  const { proxyPort, lines } = await startGateway({
    config: {
      _format_version: '3.0',
      plugins: [{ name: 'bringing', config: { name: 'mine.test' } }, { name: 'failing' }],
    },
    settings,
    plugins: [bringing, failing],
  });
  const shown = async (servername?: string) =>
    (await askTls(proxyPort, '/', servername ? { servername } : {})).fingerprint;
  expect(await shown('mine.test')).toBe(pemFingerprint(own));
  expect(await shown('other.test')).not.toBe(pemFingerprint(own));
  expect(await shown()).not.toBe(pemFingerprint(own));
  expect(seen).toEqual([
    ['mine.test', '127.0.0.1', true],
    ['other.test', '127.0.0.1', true],
    [null, '127.0.0.1', true],
  ]);
  expect(lines.map(({ msg }) => msg)).toContain('plugin failing failed: on purpose');
});

test('functions of the configuration run in this phase, too', async () => {
  const body = "ctx.log.warn('asked for ' + ctx.serverName)";
  const { proxyPort, lines } = await startGateway({
    config: {
      _format_version: '3.0',
      plugins: [{ name: 'pre-function', config: { certificate: [body] } }],
    },
    settings: { ...settings, untrusted_js: 'on' },
  });
  await askTls(proxyPort, '/', { servername: 'f.test' });
  expect(lines.map(({ msg }) => msg)).toContain('asked for f.test');
});

test('only configurations of the whole node run', async () => {
  const before = seen.length;
  const { proxyPort } = await startGateway({
    config: {
      _format_version: '3.0',
      routes: [{ paths: ['/'], plugins: [{ name: 'bringing', config: { name: 'a.test' } }] }],
    },
    settings,
    plugins: [bringing],
  });
  await askTls(proxyPort, '/', { servername: 'a.test' });
  expect(seen.length).toBe(before);
});
