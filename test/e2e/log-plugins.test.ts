import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { syslogPlugin } from '../../src/plugin/builtin/syslog.js';
import type { AnyPlugin } from '../../src/plugin/define.js';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';
import {
  freePort,
  selfSigned,
  startDaemon,
  startTcpReceiver,
  startUdpReceiver,
  tempFolder,
} from '../support/receivers.js';

const waitMs = 25_000;

/** A gateway with one log plugin in front of an upstream that answers 200. */
async function withLog(name: string, config: object, plugins: AnyPlugin[] = []) {
  const upstream = await startUpstream();
  const given = oneService(upstream.url, [{ name, config }]);
  return startGateway({ config: given, plugins });
}

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '');
const get = async (url: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url, { headers });
  await response.arrayBuffer();
};

describe('file-log', () => {
  test('appends one JSON line per request to a file of mode 0644', async () => {
    const file = join(tempFolder(), 'access.json');
    const { proxy } = await withLog('file-log', {
      path: file,
      custom_fields_by_expression: {
        'extra.agent': 'lower(request.headers.x-agent) + "!"',
        'request.headers.accept': 'null',
        slow: 'latencies.request > 60000 ? "yes" : "no"',
      },
    });
    await get(`${proxy}/a`, { 'x-agent': 'TEST', authorization: 'Bearer secret' });
    await until(() => existsSync(file) && readFileSync(file, 'utf8').includes('\n'), waitMs);
    const text = readFileSync(file, 'utf8');
    const entry = JSON.parse(text);
    expect(entry).toMatchObject({
      request: { uri: '/a', method: 'GET', headers: { authorization: 'REDACTED' } },
      response: { status: 200 },
      extra: { agent: 'test!' },
      slow: 'no',
    });
    expect(entry.request.headers.accept).toBeUndefined();
    expect(text).not.toContain('secret');
    expect(statSync(file).mode & 0o777).toBe(0o644);
  });

  test('loses no line when files are moved away and logs opened again', async () => {
    const folder = tempFolder();
    const file = join(folder, 'log');
    const { proxy, gateway } = await withLog('file-log', { path: file });
    let sent = 0;
    const names: string[] = [];
    for (let round = 0; round < 4; round++) {
      const requests = Array.from({ length: 40 }, () => get(`${proxy}/n${sent++}`));
      await Promise.all(requests.slice(0, 20));
      await until(() => existsSync(file), waitMs);
      names.push(join(folder, `log.${round}`));
      renameSync(file, names[round]);
      await gateway.reopenLogs();
      await Promise.all(requests);
      await get(`${proxy}/n${sent++}`);
      await until(() => existsSync(file), waitMs);
    }
    await gateway.drain();
    const all = [...names, file].flatMap((name) => linesOf(readFileSync(name, 'utf8')));
    const uris = all.map((line) => JSON.parse(line).request.uri as string);
    expect(uris.sort()).toEqual(Array.from({ length: sent }, (_, i) => `/n${i}`).sort());
  });

  test('says where a file cannot be written, and requests go on', async () => {
    const file = join(tempFolder(), 'missing', 'log');
    const { proxy, lines } = await withLog('file-log', { path: file });
    await get(`${proxy}/a`);
    const said = () => lines.some(({ msg }) => msg?.includes(`'${file}': ENOENT`));
    await until(said, waitMs);
    expect((await fetch(`${proxy}/b`)).status).toBe(200);
  });
});

describe('http-log', () => {
  test('nginx receives batches over TLS from a certificate that nobody signed', async () => {
    const folder = tempFolder();
    const { keyFile, certFile } = selfSigned(folder);
    const [port, out] = [await freePort(), join(folder, 'bodies')];
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid ${folder}/pid;
error_log ${folder}/error.log; events {}
http {
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/a; uwsgi_temp_path ${folder}/b; scgi_temp_path ${folder}/c;
  client_body_buffer_size 1m; client_max_body_size 1m;
  log_format body escape=none '$request_method $http_x_tag $request_body';
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};
    location /in { access_log ${out} body; proxy_pass https://127.0.0.1:${port}/done; }
    location /done { access_log off; return 200; }
  }
}
`,
    );
    startDaemon('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')]);
    await until(() => existsSync(join(folder, 'pid')), waitMs);
    const { proxy } = await withLog('http-log', {
      http_endpoint: `https://127.0.0.1:${port}/in`,
      method: 'PUT',
      headers: { 'X-Tag': 'tagged' },
      queue: { max_batch_size: 200, max_coalescing_delay: 0.2 },
      custom_fields_by_expression: { agent: 'request.headers.user-agent' },
    });
    const paths = Array.from({ length: 50 }, (_, i) => `/${i}`);
    await Promise.all(paths.map((path) => get(proxy + path)));
    const entries = () => {
      if (!existsSync(out)) return [];
      const text = readFileSync(out, 'utf8');
      // The last line may not be whole yet.
      return linesOf(text.slice(0, text.lastIndexOf('\n') + 1)).flatMap((line) => {
        expect(line).toMatch(/^PUT tagged \[/);
        return JSON.parse(line.slice('PUT tagged '.length));
      });
    };
    await until(() => entries().length >= 50, waitMs);
    expect(
      entries()
        .map(({ request }) => request.uri)
        .sort(),
    ).toEqual(paths.sort());
    expect(entries().every(({ agent }) => agent === 'node')).toBe(true);
  });
});

describe('tcp-log', () => {
  test('sends JSON lines over one connection', async () => {
    const receiver = await startTcpReceiver();
    const config = { host: '127.0.0.1', port: receiver.port };
    const { proxy } = await withLog('tcp-log', config);
    for (let i = 0; i < 3; i++) {
      await get(`${proxy}/${i}`);
      await until(() => linesOf(receiver.text()).length === i + 1, waitMs);
    }
    const uris = linesOf(receiver.text()).map((line) => JSON.parse(line).request.uri);
    expect(uris).toEqual(['/0', '/1', '/2']);
    expect(receiver.sockets).toHaveLength(1);
  });

  test('speaks TLS with the given name, to a certificate that nobody signed', async () => {
    const receiver = await startTcpReceiver({ tls: selfSigned(tempFolder()) });
    const config = { host: '127.0.0.1', port: receiver.port, tls: true, tls_sni: 'logs.test' };
    const { proxy } = await withLog('tcp-log', config);
    await get(`${proxy}/tls`);
    await until(() => receiver.text().endsWith('\n'), waitMs);
    expect(JSON.parse(receiver.text()).request.uri).toBe('/tls');
    expect(receiver.names).toEqual(['logs.test']);
  });

  test('opens a new connection after the receiver closed the old one', async () => {
    const receiver = await startTcpReceiver();
    const config = { host: '127.0.0.1', port: receiver.port };
    const { proxy } = await withLog('tcp-log', config);
    await get(`${proxy}/1`);
    await until(() => receiver.text().includes('\n'), waitMs);
    const closed = new Promise((resolve) => receiver.sockets[0].once('close', resolve));
    receiver.sockets[0].end();
    await closed;
    await get(`${proxy}/2`);
    await until(() => linesOf(receiver.text()).length === 2, waitMs);
    expect(receiver.sockets).toHaveLength(2);
  });

  test('gives up on a receiver that stops reading; requests do not wait for it', async () => {
    const receiver = await startTcpReceiver({ reads: false });
    const config = {
      host: '127.0.0.1',
      port: receiver.port,
      timeout: 300,
      custom_fields_by_expression: { big: `join(split("${'x,'.repeat(900)}", ","), uri)` },
    };
    const { proxy, lines, admin } = await withLog('tcp-log', config);
    const large = { 'x-large': 'y'.repeat(12_000) };
    const failed = () => lines.some(({ msg }) => /failed to send data to .*timeout/.test(`${msg}`));
    await until(async () => {
      await Promise.all(Array.from({ length: 20 }, () => get(`${proxy}/x`, large)));
      return failed();
    }, waitMs);
    expect((await fetch(`${proxy}/still`)).status).toBe(200);
    expect((await fetch(`${admin}/status`)).status).toBe(200);
  });

  test('refused connections are logged once per batch and not repeated', async () => {
    const config = { host: '127.0.0.1', port: await freePort() };
    const { proxy, lines } = await withLog('tcp-log', config);
    await get(`${proxy}/x`);
    const lost = () => lines.filter(({ msg }) => msg?.includes('1 queue entries were lost'));
    await until(() => lost().length > 0, waitMs);
    expect(lines.filter(({ msg }) => msg?.includes('ECONNREFUSED'))).toHaveLength(1);
  });
});

describe('udp-log and loggly', () => {
  test('udp-log sends one JSON datagram per request, without a line feed', async () => {
    const receiver = await startUdpReceiver();
    const { proxy } = await withLog('udp-log', { host: 'localhost', port: receiver.port });
    await get(`${proxy}/1`);
    await get(`${proxy}/2`);
    await until(() => receiver.datagrams.length === 2, waitMs);
    expect(receiver.datagrams.map((text) => JSON.parse(text).request.uri)).toEqual(['/1', '/2']);
    expect(receiver.datagrams.every((text) => text.endsWith('}'))).toBe(true);
  });

  test('a datagram that is too large is lost alone', async () => {
    const receiver = await startUdpReceiver();
    const config = {
      host: '127.0.0.1',
      port: receiver.port,
      custom_fields_by_expression: {
        a: 'request.uri == "/large" ? request.headers.x-large : null',
        b: 'a',
        c: 'a',
        d: 'a',
      },
    };
    const { proxy, lines } = await withLog('udp-log', config);
    await get(`${proxy}/large`, { 'x-large': 'y'.repeat(14_000) });
    await get(`${proxy}/small`);
    await until(() => receiver.datagrams.length === 1, waitMs);
    expect(JSON.parse(receiver.datagrams[0]).request.uri).toBe('/small');
    await until(() => lines.some(({ msg }) => msg?.includes('EMSGSIZE')), waitMs);
  });

  test('loggly sends syslog datagrams with the token and the tags', async () => {
    const receiver = await startUdpReceiver();
    const { proxy } = await withLog('loggly', {
      host: '127.0.0.1',
      port: receiver.port,
      key: 'the-token',
      tags: ['one', 'two'],
      successful_severity: 'notice',
      log_level: 'notice',
    });
    await get(`${proxy}/1`);
    await until(() => receiver.datagrams.length === 1, waitMs);
    const [text] = receiver.datagrams;
    const token = '\\[the-token@41058 tag="one" tag="two"\\] ';
    const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ';
    const head = new RegExp(`^<13>1 ${time} \\S+ kong - - ${token}`);
    expect(text).toMatch(head);
    expect(JSON.parse(text.replace(head, '')).request.uri).toBe('/1');
  });
});

describe('syslog', () => {
  test('rsyslog receives facility, severity, ident and the record', async () => {
    const folder = tempFolder();
    const [socket, out] = [join(folder, 'log.sock'), join(folder, 'out')];
    writeFileSync(
      join(folder, 'rsyslog.conf'),
      `global(workDirectory="${folder}" maxMessageSize="128k")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="${socket}" RateLimit.Interval="0")
template(name="t" type="string"
  string="%syslogfacility-text% %syslogseverity-text% %programname%|%msg:::drop-last-lf%\\n")
action(type="omfile" file="${out}" template="t")
`,
    );
    const args = ['-n', '-f', join(folder, 'rsyslog.conf'), '-i', join(folder, 'pid')];
    startDaemon('rsyslogd', args);
    await until(() => existsSync(socket), waitMs);
    const config = {
      facility: 'local3',
      client_errors_severity: 'err',
      successful_severity: 'debug',
      log_level: 'info',
    };
    const upstream = await startUpstream((request, response) => {
      response.writeHead(request.url === '/bad' ? 404 : 200).end();
    });
    const given = oneService(upstream.url, [{ name: 'syslog', config }]);
    const { proxy } = await startGateway({ config: given, plugins: [syslogPlugin({ socket })] });
    await get(`${proxy}/good`);
    await get(`${proxy}/bad`, { 'x-large': 'z'.repeat(14_000) });
    await until(() => existsSync(out) && readFileSync(out, 'utf8').endsWith('\n'), waitMs);
    const [line, ...others] = linesOf(readFileSync(out, 'utf8'));
    const [head, ...record] = line.split('|');
    expect(head).toBe('local3 err kong');
    expect(JSON.parse(record.join('|'))).toMatchObject({
      request: { uri: '/bad', headers: { 'x-large': 'z'.repeat(14_000) } },
      response: { status: 404 },
    });
    expect(others).toEqual([]);
  });

  test('without a socket, datagrams go to the port of syslog', async () => {
    const receiver = await startUdpReceiver();
    const plugin = syslogPlugin({ socket: join(tempFolder(), 'none'), udpPort: receiver.port });
    const { proxy } = await withLog('syslog', {}, [plugin]);
    await get(`${proxy}/1`);
    await until(() => receiver.datagrams.length === 1, waitMs);
    const head = /^<14>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d kong\[\d+\]: /;
    expect(receiver.datagrams[0]).toMatch(head);
    expect(JSON.parse(receiver.datagrams[0].replace(head, '')).request.uri).toBe('/1');
  });
});
