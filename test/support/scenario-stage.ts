/** A gateway with an echo behind it, on which scenarios are played. */
import { expect } from 'vitest';
import { createGateway } from '../../src/gateway.js';
import { createLogger } from '../../src/observe/logger.js';
import { openEcho } from './echo-upstream.js';
import { testDriver } from './plane.js';
import { type Answer, faultsOf, type Scenario, send } from './scenario.js';

export interface Stage {
  /** Address of the Admin API. */
  readonly admin: string;
  /** Loads the configuration of a scenario and asks what it asks; `see` is shown each answer. */
  play(scenario: Scenario, see?: (answer: Answer) => void): Promise<void>;
  close(): Promise<void>;
}

type Settings = Readonly<Record<string, string>>;

/** Opens all of it on ports of its own. */
export async function openStage(settings: Settings = {}): Promise<Stage> {
  const echo = await openEcho();
  const gateway = createGateway({
    env: {},
    logger: createLogger({ level: 'silent' }),
    settings: {
      proxy_listen: '127.0.0.1:0, 127.0.0.1:0 ssl',
      admin_listen: '127.0.0.1:0',
      driver: testDriver === 'native' ? 'auto' : 'net',
      ...settings,
    },
  });
  await gateway.start();
  const [plain, tls] = gateway.addresses.filter(({ kind }) => kind === 'proxy');
  const admin = gateway.addresses.find(({ kind }) => kind === 'admin');
  const adminUrl = `http://127.0.0.1:${admin?.port}`;

  async function load(scenario: Scenario): Promise<void> {
    const body = JSON.stringify(scenario.declarative_config)
      .replaceAll('{{UPSTREAM_HOST}}', '127.0.0.1')
      .replaceAll('{{UPSTREAM_PORT}}', String(echo.port));
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${adminUrl}/config`, { method: 'POST', headers, body });
    expect(response.status, await response.text()).toBe(201);
  }

  return {
    admin: adminUrl,
    async play(scenario, see) {
      await load(scenario);
      const saved: Record<string, string> = {};
      const faults: string[] = [];
      for (const [i, step] of scenario.steps.entries()) {
        if (step.wait_ms) await new Promise((resolve) => setTimeout(resolve, step.wait_ms));
        const filled = JSON.stringify(step.request).replace(/\{\{(\w+)\}\}/g, (_, name) => {
          return saved[name] ?? '';
        });
        const seen = echo.watch();
        const answer = await send(JSON.parse(filled), plain.port, tls.port);
        see?.(answer);
        for (const fault of faultsOf(step.expect, answer, seen)) {
          faults.push(`step ${i + 1}: ${fault}`);
        }
        for (const [name, member] of Object.entries(step.save ?? {})) {
          saved[name] = String(JSON.parse(answer.body)[member]);
        }
      }
      expect(faults).toEqual([]);
    },
    async close() {
      await gateway.close();
      await echo.close();
    },
  };
}
