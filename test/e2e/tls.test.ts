import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { selfSigned } from '../../src/tls/self-signed.js';
import { temporaryFolder } from '../support/cli-gateway.js';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';
import { askTls, openTls, pemFingerprint, readAll, startTlsUpstream } from '../support/tls.js';

const secure = { proxy_listen: '127.0.0.1:0 ssl' };

describe('a listener with ssl', () => {
  test('tells the upstream that the client came by https', async () => {
    const { url, requests } = await startUpstream();
    const { proxyPort } = await startGateway({ config: oneService(url), settings: secure });
    const { body, text } = await askTls(proxyPort, '/x?y');
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(body).toContain('GET /x?y');
    expect(requests[0].headers['x-forwarded-proto']).toBe('https');
    expect(requests[0].headers['x-forwarded-port']).toBe(String(proxyPort));
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('tells log plugins of %s', async (version) => {
    const { url } = await startUpstream();
    const path = join(await temporaryFolder(), 'log');
    const config = oneService(url, [{ name: 'file-log', config: { path } }]);
    const { proxyPort } = await startGateway({ config, settings: secure });
    await askTls(proxyPort, '/', { minVersion: version, maxVersion: version });
    await until(() => existsSync(path) && readFileSync(path, 'utf8').endsWith('\n'));
    const { request } = JSON.parse(readFileSync(path, 'utf8'));
    const cipher = expect.stringMatching(/^(TLS_AES|TLS_CHACHA|ECDHE)/);
    expect(request.tls).toEqual({ version, cipher, client_verify: 'NONE' });
  });

  test('shows the certificate of ssl_cert, and one of its own where there is none', async () => {
    const pair = selfSigned(Date.now());
    const settings = { ...secure, ssl_cert: pair.cert, ssl_cert_key: pair.key };
    const { proxyPort } = await startGateway({ settings });
    expect((await askTls(proxyPort)).fingerprint).toBe(pemFingerprint(pair));
    const own = await startGateway({ settings: secure });
    expect((await askTls(own.proxyPort)).fingerprint).not.toBe(pemFingerprint(pair));
  });

  test('refuses a key that is not that of the certificate', async () => {
    const settings = {
      ...secure,
      ssl_cert: selfSigned(Date.now()).cert,
      ssl_cert_key: selfSigned(Date.now()).key,
    };
    await expect(startGateway({ settings })).rejects.toMatchObject({
      code: 'GW_E_SETTING_VALUE',
      message: 'ssl_cert: certificate does not match key',
    });
  });

  test('routes by server name', async () => {
    const { url } = await startUpstream();
    const route = { protocols: ['https'], strip_path: false };
    const config = {
      _format_version: '3.0',
      services: [{ name: 's', url, routes: [{ name: 'r', snis: ['*.sni.test'], ...route }] }],
    };
    const { proxyPort } = await startGateway({ config, settings: secure });
    const found = await askTls(proxyPort, '/', { servername: 'a.sni.test' });
    expect(found.text).toMatch(/^HTTP\/1\.1 200 /);
    const missed = await askTls(proxyPort, '/', { servername: 'sni.test' });
    expect(missed.text).toMatch(/^HTTP\/1\.1 404 /);
    expect((await askTls(proxyPort)).text).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('takes https-only routes that plain HTTP is refused', async () => {
    const { url } = await startUpstream();
    const config = {
      _format_version: '3.0',
      services: [{ name: 's', url, routes: [{ name: 'r', paths: ['/'], protocols: ['https'] }] }],
    };
    const proxy_listen = '127.0.0.1:0, 127.0.0.1:0 ssl';
    const { gateway, proxy } = await startGateway({ config, settings: { proxy_listen } });
    const [plain, ssl] = gateway.addresses;
    expect([plain.ssl, ssl.ssl]).toEqual([false, true]);
    expect((await fetch(proxy)).status).toBe(426);
    expect((await askTls(ssl.port)).text).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('carries large bodies both ways, to readers that are slow, too', async () => {
    const { url } = await startUpstream((request, response) => void request.pipe(response));
    const { proxyPort } = await startGateway({ config: oneService(url), settings: secure });
    const socket = await openTls(proxyPort);
    const body = randomBytes(3_000_000);
    const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n`;
    socket.write(`${head}Connection: close\r\n\r\n`);
    socket.pause();
    socket.write(body);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const text = await readAll(socket);
    const answer = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1');
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    const plain = text.includes('chunked') ? dechunk(answer) : answer;
    expect(digest(plain)).toBe(digest(body));
  });

  test('survives clients that do not speak TLS, or leave in the handshake', async () => {
    const { proxyPort } = await startGateway({ settings: secure });
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01', '']) {
      const socket = connect(proxyPort, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => {});
      socket.resume();
      socket.end(bytes);
      await until(() => socket.closed || socket.readableEnded || socket.destroyed);
    }
    expect((await askTls(proxyPort)).text).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('close ends handshakes that have not ended', async () => {
    const { gateway, proxyPort } = await startGateway({ settings: secure });
    const socket = connect(proxyPort, '127.0.0.1');
    let closed = false;
    socket.on('error', () => {});
    socket.on('close', () => {
      closed = true;
    });
    await new Promise((resolve) => socket.once('connect', resolve));
    await gateway.close();
    socket.resume();
    await until(() => closed);
  });

  test('refuses http2 by name', async () => {
    const settings = { proxy_listen: '127.0.0.1:0 http2 ssl' };
    await expect(startGateway({ settings })).rejects.toMatchObject({
      code: 'GW_E_LISTEN',
      message: expect.stringContaining('http2 is not supported yet'),
    });
  });

  test('the Admin API has one, too', async () => {
    const settings = { admin_listen: '127.0.0.1:0 ssl' };
    const { gateway } = await startGateway({ settings });
    const admin = gateway.addresses.find(({ kind }) => kind === 'admin');
    expect((await askTls(admin?.port ?? 0, '/status')).text).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('settings of a TLS listener', () => {
  test('admin_ssl_cert is for the Admin API alone', async () => {
    const own = selfSigned(Date.now());
    const settings = {
      proxy_listen: '127.0.0.1:0 ssl',
      admin_listen: '127.0.0.1:0 ssl',
      admin_ssl_cert: own.cert,
      admin_ssl_cert_key: own.key,
    };
    const { gateway, proxyPort } = await startGateway({ settings });
    const admin = gateway.addresses.find(({ kind }) => kind === 'admin');
    expect((await askTls(admin?.port ?? 0, '/status')).fingerprint).toBe(pemFingerprint(own));
    expect((await askTls(proxyPort)).fingerprint).not.toBe(pemFingerprint(own));
  });

  test('the suite `old` speaks TLS 1.0, the others do not', async () => {
    const ancient = {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1',
      ciphers: 'ALL:@SECLEVEL=0',
    } as const;
    const old = await startGateway({ settings: { ...secure, ssl_cipher_suite: 'old' } });
    const { text } = await askTls(old.proxyPort, '/', ancient);
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
    const usual = await startGateway({ settings: secure });
    await expect(askTls(usual.proxyPort, '/', ancient)).rejects.toThrow();
  });
});

describe('an https service', () => {
  test('is spoken to by TLS, by its name, over connections that are kept', async () => {
    const { port, names } = await startTlsUpstream((request, response) => {
      response.end(`${request.headers.host} ${request.headers['x-forwarded-proto']}`);
    });
    const config = oneService(`https://localhost:${port}`);
    const { proxy } = await startGateway({ config });
    for (let i = 0; i < 3; i++) {
      expect(await (await fetch(proxy)).text()).toBe(`localhost:${port} http`);
    }
    expect(names).toEqual(['localhost']);
  });

  test('is verified where it says so', async () => {
    const { port, pair } = await startTlsUpstream((_, response) => void response.end('ok'));
    const config = {
      _format_version: '3.0',
      services: [
        { name: 'one', url: `https://localhost:${port}`, tls_verify: true, retries: 0 },
        { name: 'two', url: `https://127.0.0.1:${port}`, tls_verify: true, retries: 0 },
      ],
      routes: [
        { name: 'one', paths: ['/one'], service: { name: 'one' } },
        { name: 'two', paths: ['/two'], service: { name: 'two' } },
      ],
    };
    const stranger = await startGateway({ config });
    expect((await fetch(`${stranger.proxy}/one`)).status).toBe(502);
    const settings = { lua_ssl_trusted_certificate: pair.cert };
    const { proxy } = await startGateway({ config, settings });
    expect((await fetch(`${proxy}/one`)).status).toBe(200);
    // the certificate is not for that address
    expect((await fetch(`${proxy}/two`)).status).toBe(502);
  });

  test('is shown the certificate of client_ssl_cert', async () => {
    const client = selfSigned(Date.now() - 60_000);
    const options = { requestCert: true, ca: client.cert, maxVersion: 'TLSv1.2' };
    const { port } = await startTlsUpstream((_, response) => void response.end('ok'), options);
    const config = oneService(`https://localhost:${port}`);
    expect((await fetch((await startGateway({ config })).proxy)).status).toBe(502);
    const settings = {
      client_ssl: 'on',
      client_ssl_cert: client.cert,
      client_ssl_cert_key: client.key,
    };
    expect((await fetch((await startGateway({ config, settings })).proxy)).status).toBe(200);
  });

  test('may answer with a body that ends with the connection', async () => {
    const { port } = await startTlsUpstream((_, response) => {
      response.useChunkedEncodingByDefault = false;
      response.setHeader('connection', 'close');
      response.write('x'.repeat(200_000));
      response.end('end');
    });
    const { proxy } = await startGateway({ config: oneService(`https://localhost:${port}`) });
    const text = await (await fetch(proxy)).text();
    expect([text.length, text.endsWith('end')]).toEqual([200_003, true]);
  });

  test('takes a large body', async () => {
    const { port } = await startTlsUpstream((request, response) => {
      const hash = createHash('sha256');
      request.on('data', (part) => hash.update(part));
      request.on('end', () => response.end(hash.digest('hex')));
    });
    const { proxy } = await startGateway({ config: oneService(`https://localhost:${port}`) });
    const body = randomBytes(3_000_000);
    const response = await fetch(proxy, { method: 'POST', body });
    expect(await response.text()).toBe(createHash('sha256').update(body).digest('hex'));
  });
});

function dechunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 4 + size;
  }
  return Buffer.concat(parts);
}
