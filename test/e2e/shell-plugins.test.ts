/**
 * The scenarios of bundled plugins once more, with every plugin in the shell: where plugins run
 * must make no difference. A file of its own: counters live as long as a process.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Scenario } from '../support/scenario.js';
import { openStage, type Stage } from '../support/scenario-stage.js';
import { authenticationDetails } from './scenarios/authentication.js';
import { trafficDetails } from './scenarios/traffic.js';
import { transformerDetails } from './scenarios/transformers.js';

/** Those that the core can run. */
const compiled = new Set([
  'key-auth',
  'rate-limiting',
  'cors',
  'ip-restriction',
  'correlation-id',
  'request-transformer',
  'request-termination',
]);

const file = new URL('../compat/plugins.json', import.meta.url);
const sample = (JSON.parse(readFileSync(file, 'utf8')) as Scenario[]).filter((one) =>
  compiled.has(one.plugin),
);

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ compiled_plugins: 'off' });
});

afterAll(() => stage.close());

describe.each([
  ['sample', sample],
  ['authentication', authenticationDetails],
  ['traffic', trafficDetails],
  ['transformers', transformerDetails],
])('%s', (_name, list) => {
  test.each([...list])('$name', { timeout: 30_000 }, (one) => stage.play(one));
});
