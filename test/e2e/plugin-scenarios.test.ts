/** Kong's plugins, scenario by scenario: loaded over the Admin API, asked over sockets. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Scenario } from '../support/scenario.js';
import { openStage, type Stage } from '../support/scenario-stage.js';

const file = new URL('../compat/plugins.json', import.meta.url);
const scenarios = JSON.parse(readFileSync(file, 'utf8')) as Scenario[];
const byPlugin = new Map<string, Scenario[]>();
for (const one of scenarios) byPlugin.set(one.plugin, [...(byPlugin.get(one.plugin) ?? []), one]);

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});

afterAll(() => stage.close());

describe.each([...byPlugin])('%s', (_plugin, list) => {
  test.each(list)('$name', { timeout: 30_000 }, (one) => stage.play(one));
});
