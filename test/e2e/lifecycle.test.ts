import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import { createGateway } from '../../src/gateway.js';
import { systemClock } from '../../src/time.js';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

describe('start', () => {
  test('without a configuration every request gets 404, and readiness says why', async () => {
    const { proxy, admin } = await startGateway();
    const response = await fetch(proxy);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ message: 'no Route matched with those values' });
    const ready = await fetch(`${admin}/status/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      message: 'no configuration available (empty configuration present)',
    });
  });

  test('a configuration without services is valid and ready', async () => {
    const { admin } = await startGateway({ config: { _format_version: '3.0' } });
    expect((await fetch(`${admin}/status/ready`)).status).toBe(200);
  });

  test('takes the configuration as object, text, file, and by setting', async () => {
    const { url } = await startUpstream();
    const document = oneService(url);
    const file = join(await temporaryFolder(), 'kong.yml');
    await writeFile(file, JSON.stringify(document));
    const ways = [
      { config: document },
      { config: JSON.stringify(document) },
      { config: file },
      { configFile: file },
      { settings: { declarative_config: file } },
      { env: { KONG_DECLARATIVE_CONFIG_STRING: JSON.stringify(document) } },
    ];
    for (const options of ways) {
      const { proxy } = await startGateway(options);
      expect(await (await fetch(`${proxy}/x`)).text()).toBe('GET /x');
    }
  });

  test('the environment fills ${NAME} in', async () => {
    const { url } = await startUpstream();
    const config = oneService('${UPSTREAM_URL}');
    const { proxy } = await startGateway({ config, env: { UPSTREAM_URL: url } });
    expect((await fetch(proxy)).status).toBe(200);
  });

  test('a bad configuration starts nothing and lists every problem with its place', async () => {
    const gateway = createGateway({
      env: {},
      config: '_format_version: "3.0"\nservices:\n- nmae: a\n  url: ftp://x\n',
      settings: { proxy_listen: '127.0.0.1:0', admin_listen: 'off' },
    });
    const started = gateway.start();
    await expect(started).rejects.toMatchObject({ code: 'GW_E_CONFIG_INVALID' });
    await expect(started).rejects.toThrow(/^config:3:3: .*nmae.*\nconfig:4:\d+: /s);
    expect(gateway.state).toBe('closed');
    expect(gateway.addresses).toEqual([]);
  });

  test('an unknown setting and a missing file are errors with a name', async () => {
    const start = (options: object) => createGateway({ env: {}, ...options }).start();
    await expect(start({ settings: { proxy_lisen: 'off' } })).rejects.toMatchObject({
      code: 'GW_E_SETTING_UNKNOWN',
    });
    await expect(start({ configFile: '/none/kong.yml' })).rejects.toMatchObject({
      code: 'GW_E_CONFIG_READ',
      message: '/none/kong.yml: cannot be read (ENOENT)',
    });
  });

  test('a port in use is an error, and what was bound before is given back', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    const gateway = createGateway({
      env: {},
      settings: { proxy_listen: `127.0.0.1:0, 127.0.0.1:${port}`, admin_listen: 'off' },
    });
    await expect(gateway.start()).rejects.toMatchObject({ code: 'GW_E_LISTEN' });
    expect(await gateway.closed).toBeNull();
  });

  test('cannot be called twice', async () => {
    const { gateway } = await startGateway();
    await expect(gateway.start()).rejects.toMatchObject({ code: 'GW_E_STATE' });
  });

  test('several listeners serve the same configuration', async () => {
    const { url } = await startUpstream();
    const settings = { proxy_listen: '127.0.0.1:0, 127.0.0.1:0' };
    const { gateway } = await startGateway({ config: oneService(url), settings });
    const ports = gateway.addresses.filter((one) => one.kind === 'proxy').map((one) => one.port);
    expect(new Set(ports).size).toBe(2);
    for (const port of ports) {
      expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    }
  });
});

describe('close', () => {
  test('frees the ports and ends connections; further calls change nothing', async () => {
    const { gateway, proxy, admin } = await startGateway();
    await fetch(proxy);
    await gateway.close();
    await gateway.close();
    expect(gateway.state).toBe('closed');
    expect(await gateway.closed).toBeNull();
    await expect(fetch(proxy)).rejects.toThrow();
    await expect(fetch(admin)).rejects.toThrow();
    await expect(gateway.reload()).rejects.toMatchObject({ code: 'GW_E_STATE' });
  });

  test('a gateway that was never started can be closed', async () => {
    const gateway = createGateway();
    await gateway.close();
    expect(gateway.state).toBe('closed');
  });

  test('several gateways in one process do not disturb each other', async () => {
    const { url } = await startUpstream();
    const one = await startGateway({ config: oneService(url) });
    const two = await startGateway({ config: oneService(url) });
    await one.gateway.close();
    expect((await fetch(two.proxy)).status).toBe(200);
  });
});

describe('a data plane that fails', () => {
  test('is replaced: same port, same configuration, the failure in the log', async () => {
    const { url } = await startUpstream();
    let failing = false;
    const clock = {
      ...systemClock,
      now() {
        // Only while the core is being called; others read the clock as well.
        const isCore = /\.deliver|processAt/.test(new Error().stack ?? '');
        if (!failing || !isCore) return systemClock.now();
        failing = false;
        throw new GatewayError('GW_E_CORE_TRAP', 'made to fail');
      },
    };
    const { proxy, lines, gateway } = await startGateway({ config: oneService(url), clock });
    expect((await fetch(proxy)).status).toBe(200);
    failing = true;
    // The failure meets this request, or a tick of the timers just before it.
    await fetch(`${proxy}/lost`, { headers: { connection: 'close' } }).catch(() => {});
    await until(() => lines.some(({ msg }) => msg === 'the core failed and is replaced'));
    await until(() =>
      fetch(`${proxy}/again`).then(
        (response) => response.status === 200,
        () => false,
      ),
    );
    expect(gateway.state).toBe('running');
    const line = lines.find((one) => one.msg === 'the core failed and is replaced');
    expect(line?.err).toMatchObject({ message: 'made to fail', code: 'GW_E_CORE_TRAP' });
  });
});

describe('access log', () => {
  test('has a JSON line per request, and goes on in a new file after a rotation', async () => {
    const { url } = await startUpstream();
    const file = join(await temporaryFolder(), 'access.log');
    const settings = { access_log: file };
    const { gateway, proxy } = await startGateway({ config: oneService(url), settings });
    const lines = async (name: string) =>
      (await readFile(name, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
    await (await fetch(`${proxy}/first`)).text();
    await until(async () => (await lines(file)).length === 1);
    const before = await lines(file);
    expect(JSON.parse(before[0])).toMatchObject({ uri: '/first', status: 200, service: 'one' });
    await rename(file, `${file}.1`);
    await gateway.reopenLogs();
    await (await fetch(`${proxy}/second`)).text();
    await gateway.drain();
    expect((await lines(file)).map((line) => JSON.parse(line).uri)).toEqual(['/second']);
    expect(await lines(`${file}.1`)).toHaveLength(1);
  });
});
