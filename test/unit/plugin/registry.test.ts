import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { definePlugin } from '../../../src/plugin/define.js';
import { bundledPlugins, loadPlugins } from '../../../src/plugin/registry.js';

async function moduleWith(text: string): Promise<{ from: string; name: string }> {
  const from = await mkdtemp(join(tmpdir(), 'headgate-plugin-'));
  onTestFinished(() => rm(from, { recursive: true }));
  await writeFile(join(from, 'own.mjs'), text);
  return { from, name: './own.mjs' };
}

const definition = (name: string) =>
  `({ name: '${name}', version: '1.0.0', priority: 1, schema: { fields: {} } })`;

describe('loadPlugins', () => {
  test('`bundled` stands for every plugin of the gateway', async () => {
    const plugins = await loadPlugins({ names: ['bundled'] });
    expect([...plugins.keys()]).toEqual(bundledPlugins.map(({ name }) => name));
  });

  test('a bundled plugin can be named alone; none are loaded for `off`', async () => {
    expect([...(await loadPlugins({ names: ['http-log'] })).keys()]).toEqual(['http-log']);
    expect((await loadPlugins({ names: [] })).size).toBe(0);
  });

  test('loads a module by path: one plugin or several', async () => {
    const one = await moduleWith(`export default ${definition('mine')}`);
    expect([...(await loadPlugins({ names: [one.name], from: one.from })).keys()]).toEqual([
      'mine',
    ]);
    const two = await moduleWith(`export default [${definition('a')}, ${definition('b')}]`);
    expect([...(await loadPlugins({ names: [two.name], from: two.from })).keys()]).toEqual([
      'a',
      'b',
    ]);
  });

  test('a given plugin wins over a bundled one of its name', async () => {
    const schema = { fields: {} };
    const own = definePlugin({ name: 'http-log', version: '9.0.0', priority: 1, schema });
    const plugins = await loadPlugins({ names: ['bundled'], given: [own] });
    expect(plugins.get('http-log')).toBe(own);
  });

  test.each([
    ['a module that throws', 'throw new Error("broken on line one")', 'broken on line one'],
    ['a module without default export', 'export const a = 1', 'no default export'],
    ['a default export that is no plugin', 'export default { name: "x" }', 'version must be x.y.z'],
    [
      'two plugins of one name',
      `export default [${definition('a')}, ${definition('a')}]`,
      'two plugins are named a',
    ],
  ])('says why it refuses %s', async (_, text, reason) => {
    const { from, name } = await moduleWith(text);
    await expect(loadPlugins({ names: [name], from })).rejects.toThrow(reason);
    await expect(loadPlugins({ names: [name], from })).rejects.toThrow(name);
  });

  test('names a package that is not installed', async () => {
    const load = loadPlugins({ names: ['no-such-headgate-plugin'] });
    await expect(load).rejects.toMatchObject({ code: 'GW_E_PLUGIN_UNKNOWN' });
    await expect(load).rejects.toThrow("plugin 'no-such-headgate-plugin' cannot be loaded");
  });
});
