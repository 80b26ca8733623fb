import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { KeyPair } from '../../src/tls/key-pair.js';
import { selfSigned } from '../../src/tls/self-signed.js';
import { oneService, startGateway } from '../support/gateway.js';
import { listenOn } from '../support/raw.js';
import { askTls, openTls, pemFingerprint, startTlsUpstream } from '../support/tls.js';

const pem = (name: string) =>
  readFileSync(new URL(`../support/certificates/${name}.pem`, import.meta.url), 'utf8');
const authority = pem('authority');
const localhost = { cert: pem('localhost'), key: pem('localhost.key') };
const rsa = { cert: pem('rsa'), key: pem('rsa.key') };
const secure = { proxy_listen: '127.0.0.1:0 ssl' };
const id = (digit: number) => `00000000-0000-4000-8000-00000000000${digit}`;

describe('certificates by server name', () => {
  test('exact, one label on the left, the last label, every name, none', async () => {
    const pairs = Array.from({ length: 4 }, () => selfSigned(Date.now()));
    const [exact, left, right, any] = pairs;
    const config = {
      _format_version: '3.0',
      certificates: [
        { ...exact, snis: [{ name: 'a.x.test' }] },
        { ...left, snis: [{ name: '*.x.test' }] },
        { ...right, id: id(1) },
        { ...any, id: id(2) },
      ],
      snis: [
        { name: 'r.*', certificate: { id: id(1) } },
        { name: '*', certificate: id(2) },
      ],
    };
    const { proxyPort, gateway } = await startGateway({ config, settings: secure });
    const shown = async (servername?: string) =>
      (await askTls(proxyPort, '/', servername ? { servername } : {})).fingerprint;
    expect(await shown('a.x.test')).toBe(pemFingerprint(exact));
    expect(await shown('b.x.test')).toBe(pemFingerprint(left));
    expect(await shown('a.b.x.test')).toBe(pemFingerprint(any));
    expect(await shown('r.com')).toBe(pemFingerprint(right));
    // no name is no reason to show what stands for every name
    const own = await shown();
    expect(pairs.map(pemFingerprint)).not.toContain(own);
    await gateway.reload({ _format_version: '3.0' });
    expect(await shown('a.x.test')).toBe(own);
  });

  test('of another type of key than the default one, in one piece or byte by byte', async () => {
    const config = {
      _format_version: '3.0',
      certificates: [{ ...rsa, snis: [{ name: 'rsa.test' }] }],
    };
    const { proxyPort, lines } = await startGateway({ config, settings: secure });
    for (const servername of ['rsa.test', 'RSA.test']) {
      const { fingerprint, text } = await askTls(proxyPort, '/', { servername });
      expect(fingerprint).toBe(pemFingerprint(rsa));
      expect(text).toMatch(/^HTTP\/1\.1 404 /);
    }
    const other = await askTls(proxyPort, '/', { servername: 'other.test' });
    expect(other.fingerprint).not.toBe(pemFingerprint(rsa));
    const dripped = await askTls(await dripTo(proxyPort), '/', { servername: 'rsa.test' });
    expect(dripped.fingerprint).toBe(pemFingerprint(rsa));
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('a reload serves new handshakes and leaves connections alone', async () => {
    const [before, after] = [selfSigned(Date.now()), selfSigned(Date.now())];
    const configOf = (pair: KeyPair) => ({
      _format_version: '3.0',
      certificates: [{ ...pair, snis: [{ name: 'a.test' }] }],
    });
    const options = { config: configOf(before), settings: secure };
    const { proxyPort, gateway } = await startGateway(options);
    const socket = await openTls(proxyPort, { servername: 'a.test' });
    await gateway.reload(configOf(after));
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 404 /);
    const { fingerprint } = await askTls(proxyPort, '/', { servername: 'a.test' });
    expect(fingerprint).toBe(pemFingerprint(after));
  });

  test('what does not fit is refused, and the key is not shown', async () => {
    const [one, other] = [selfSigned(Date.now()), selfSigned(Date.now())];
    const { gateway } = await startGateway();
    const certificates = [{ cert: one.cert, key: other.key }];
    const refused = gateway.reload({ _format_version: '3.0', certificates });
    await expect(refused).rejects.toThrow(/certificate does not match key/);
    const short = { cert: pem('short'), key: pem('short.key') };
    const tooShort = gateway.reload({ _format_version: '3.0', certificates: [short] });
    await expect(tooShort).rejects.toThrow(/cert: invalid certificate: ee key too small/);
    const twice = {
      _format_version: '3.0',
      certificates: [{ ...one, snis: [{ name: 'a.test' }, { name: 'a.test' }] }],
      ca_certificates: [{ cert: one.cert }],
      snis: [{ name: 'b.test' }],
    };
    const error = await gateway.reload(twice).catch((reason: Error) => reason.message);
    expect(error).toContain("'snis' entity with name set to 'a.test' already declared");
    expect(error).toContain('missing the "CA" basic constraint');
    expect(error).toContain("sni 'b.test': certificate: required field missing");
    expect(error).not.toContain('PRIVATE');
  });
});

describe('services', () => {
  test('are verified by their own authorities, and shown their own certificate', async () => {
    const options = { ...localhost, requestCert: true, ca: authority };
    const { port } = await startTlsUpstream((_, response) => void response.end('ok'), options);
    const service = { url: `https://localhost:${port}`, tls_verify: true, retries: 0 };
    const shown = { client_certificate: { id: id(2) } };
    const config = {
      _format_version: '3.0',
      ca_certificates: [{ id: id(1), cert: authority }],
      certificates: [{ id: id(2), ...localhost }],
      services: [
        { ...service, name: 'both', ca_certificates: [id(1)], ...shown },
        { ...service, name: 'silent', ca_certificates: [id(1)] },
        { ...service, name: 'stranger', ...shown },
      ],
      routes: ['both', 'silent', 'stranger'].map((name) => {
        return { name, paths: [`/${name}`], service: { name } };
      }),
    };
    const { proxy } = await startGateway({ config });
    const statuses = ['both', 'silent', 'stranger'].map(async (name) => {
      return (await fetch(`${proxy}/${name}`)).status;
    });
    expect(await Promise.all(statuses)).toEqual([200, 502, 502]);
  });

  test('cannot name an authority that is not there', async () => {
    const { gateway } = await startGateway({ config: oneService('http://a.test') });
    const services = [{ name: 's', url: 'https://a.test', ca_certificates: [id(7)] }];
    await expect(gateway.reload({ _format_version: '3.0', services })).rejects.toThrow(
      `ca_certificates[0]: invalid reference '${id(7)}'`,
    );
  });
});

/** A port that hands over to `port` what comes, the first 600 bytes one by one. */
function dripTo(port: number): Promise<number> {
  return listenOn(
    createServer((inner) => {
      const outer = connect({ port, host: '127.0.0.1', noDelay: true });
      for (const socket of [inner, outer]) socket.on('error', () => socket.destroy());
      outer.pipe(inner);
      inner.on('data', (bytes) => {
        let rest = bytes;
        for (let n = 0; n < 600 && rest.length > 0; n++) {
          outer.write(rest.subarray(0, 1));
          rest = rest.subarray(1);
        }
        outer.write(rest);
      });
    }),
  );
}
