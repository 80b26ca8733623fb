/** Kong's plugins, scenario by scenario: loaded over the Admin API, asked over sockets. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGateway } from '../../src/gateway.js';
import type { Gateway } from '../../src/gateway-options.js';
import { createLogger } from '../../src/observe/logger.js';
import { type Echo, openEcho } from '../support/echo-upstream.js';
import { testDriver } from '../support/plane.js';
import { faultsOf, type Scenario, send } from '../support/scenario.js';

const file = new URL('../compat/plugins.json', import.meta.url);
const scenarios = JSON.parse(readFileSync(file, 'utf8')) as Scenario[];
const byPlugin = new Map<string, Scenario[]>();
for (const one of scenarios) byPlugin.set(one.plugin, [...(byPlugin.get(one.plugin) ?? []), one]);

let gateway: Gateway;
let echo: Echo;
let admin: string;
let ports: { plain: number; tls: number };

beforeAll(async () => {
  echo = await openEcho();
  const logger = createLogger({ level: 'silent' });
  const settings = {
    proxy_listen: '127.0.0.1:0, 127.0.0.1:0 ssl',
    admin_listen: '127.0.0.1:0',
    driver: testDriver === 'native' ? 'auto' : 'net',
  };
  gateway = createGateway({ env: {}, logger, settings });
  await gateway.start();
  const proxies = gateway.addresses.filter(({ kind }) => kind === 'proxy');
  ports = { plain: proxies[0].port, tls: proxies[1].port };
  admin = `http://127.0.0.1:${gateway.addresses.find(({ kind }) => kind === 'admin')?.port}`;
});

afterAll(async () => {
  await gateway.close();
  await echo.close();
});

async function load(scenario: Scenario): Promise<void> {
  const body = JSON.stringify(scenario.declarative_config)
    .replaceAll('{{UPSTREAM_HOST}}', '127.0.0.1')
    .replaceAll('{{UPSTREAM_PORT}}', String(echo.port));
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${admin}/config`, { method: 'POST', headers, body });
  expect(response.status, await response.text()).toBe(201);
}

async function run(scenario: Scenario): Promise<void> {
  await load(scenario);
  const saved: Record<string, string> = {};
  const faults: string[] = [];
  for (const [i, step] of scenario.steps.entries()) {
    if (step.wait_ms) await new Promise((resolve) => setTimeout(resolve, step.wait_ms));
    const filled = JSON.stringify(step.request).replace(/\{\{(\w+)\}\}/g, (_, name) => {
      return saved[name] ?? '';
    });
    const seen = echo.watch();
    const answer = await send(JSON.parse(filled), ports.plain, ports.tls);
    for (const fault of faultsOf(step.expect, answer, seen)) faults.push(`step ${i + 1}: ${fault}`);
    for (const [name, member] of Object.entries(step.save ?? {})) {
      saved[name] = String(JSON.parse(answer.body)[member]);
    }
  }
  expect(faults).toEqual([]);
}

describe.each([...byPlugin])('%s', (_plugin, list) => {
  test.each(list)('$name', { timeout: 30_000 }, run);
});
