import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/index.js';
import type { Snapshot } from '../../../src/config/model.js';
import { Phase } from '../../../src/core/layout.js';
import { createLogger } from '../../../src/observe/logger.js';
import { type AnyPlugin, definePlugin } from '../../../src/plugin/define.js';
import { buildPlans, type PlanTable } from '../../../src/plugin/plan.js';

const logger = createLogger({ level: 'silent', stream: { write() {} } });

function plugin(name: string, priority: number, phases: Partial<AnyPlugin> = {}): AnyPlugin {
  const schema = { fields: { at: { type: 'string' } } } as const;
  return definePlugin({ name, version: '1.0.0', priority, schema, access() {}, ...phases });
}

function plansOf(document: object, plugins: readonly AnyPlugin[]): PlanTable {
  const registry = new Map(plugins.map((one) => [one.name, one]));
  const result = loadConfig({
    text: JSON.stringify({ _format_version: '3.0', ...document }),
    pluginSchemas: registry,
  });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return buildPlans(result.snapshot as Snapshot, registry, logger);
}

const configAt = (at: string) => ({ name: 'one', config: { at } });

describe('buildPlans', () => {
  test('runs plugins by priority, and of two equal ones the name that sorts later first', () => {
    const plugins = [plugin('low', -5), plugin('b', 10), plugin('a', 10), plugin('high', 900)];
    const { plans } = plansOf(
      { plugins: plugins.map(({ name }) => ({ name })), routes: [{ paths: ['/'] }] },
      plugins,
    );
    expect(plans[0].access.map((step) => step.plugin.name)).toEqual(['high', 'b', 'a', 'low']);
  });

  test.each([
    ['route and service', ['route+service', 'route', 'service', 'global'], 'route+service'],
    ['route', ['route', 'service', 'global'], 'route'],
    ['service', ['service', 'global'], 'service'],
    ['global', ['global'], 'global'],
  ])('takes the most specific configuration: %s', (_, scopes, expected) => {
    const scope = (name: string) => ({
      ...configAt(name),
      ...(name.includes('route') && { route: 'r' }),
      ...(name.includes('service') && { service: 's' }),
    });
    const { plans } = plansOf(
      {
        services: [{ name: 's', url: 'http://127.0.0.1:1' }],
        routes: [{ name: 'r', paths: ['/'], service: 's' }],
        plugins: scopes.map(scope),
      },
      [plugin('one', 1)],
    );
    expect(plans[0].access.map((step) => step.config)).toEqual([{ at: expected }]);
  });

  test('does not see a disabled configuration, so a broader one applies', () => {
    const { plans } = plansOf(
      {
        routes: [{ name: 'r', paths: ['/'], plugins: [{ ...configAt('route'), enabled: false }] }],
        plugins: [configAt('global')],
      },
      [plugin('one', 1)],
    );
    expect(plans[0].access.map((step) => step.config)).toEqual([{ at: 'global' }]);
  });

  test('leaves out routes of disabled services', () => {
    const services = [
      { name: 'off', url: 'http://127.0.0.1:1', enabled: false, routes: [{ paths: ['/off'] }] },
      { name: 'on', url: 'http://127.0.0.1:1', routes: [{ name: 'r', paths: ['/on'] }] },
    ];
    const table = plansOf({ services }, []);
    expect(table.routes.map((route) => route.name)).toEqual(['r']);
    expect(table.services.map((service) => service.name)).toEqual(['on']);
  });

  test('a route without plugins asks for no phase', () => {
    const { plans, unmatched } = plansOf({ routes: [{ paths: ['/'] }] }, []);
    expect(plans[0].phases).toBe(0);
    expect(unmatched.phases).toBe(0);
  });

  test('what matches nothing runs header filters and log of global plugins, no access', () => {
    const filter = plugin('one', 1, { headerFilter() {}, log() {} });
    const { unmatched } = plansOf({ plugins: [{ name: 'one' }] }, [filter]);
    expect(unmatched.access).toEqual([]);
    expect(unmatched.phases).toBe(Phase.HEADER_FILTER);
    expect(unmatched.log).toHaveLength(1);
  });
});
