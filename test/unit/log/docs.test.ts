/** docs/logging.md holds tables made from the schemas; `vitest run -u` writes them anew. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { functions } from '../../../src/log/expression/functions.js';
import { bundledPlugins } from '../../../src/plugin/registry.js';
import { fieldTable } from '../../support/schema-table.js';

const page = new URL('../../../docs/logging.md', import.meta.url);

test('docs/logging.md is up to date', async () => {
  const fresh = readFileSync(page, 'utf8').replace(
    /(<!-- generated: ([\w-]+) -->\n)[^]*?(<!-- end -->)/g,
    (_all, start: string, name: string, end: string) => {
      const plugin = bundledPlugins.find((one) => one.name === name);
      return `${start}${plugin ? fieldTable(plugin.schema.fields) : ''}\n${end}`;
    },
  );
  await expect(fresh).toMatchFileSnapshot(page.pathname);
});

test('every plugin with a log sink and every function is described', () => {
  const text = readFileSync(page, 'utf8');
  // What prometheus counts leaves through /metrics: bundled-plugins.md describes it.
  const ships = bundledPlugins.filter(({ name }) => name !== 'prometheus');
  const sinks = ships.filter(({ logSink }) => logSink).map(({ name }) => name);
  expect(sinks.filter((name) => !text.includes(`<!-- generated: ${name} -->`))).toEqual([]);
  expect(Object.keys(functions).filter((name) => !text.includes(`\`${name}(`))).toEqual([]);
});
