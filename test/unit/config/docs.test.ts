/** docs/configuration.md holds tables made from the schemas; `vitest run -u` writes them anew. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Collection, schemaOf } from '../../../src/config/entities.js';
import { type SettingRow, settingTable } from '../../../src/config/setting-table.js';
import { code, fieldTable, table } from '../../support/schema-table.js';

const page = new URL('../../../docs/configuration.md', import.meta.url);

function settings(): string {
  const rows = Object.entries<SettingRow<unknown>>(settingTable);
  return table(
    ['setting', 'unit or values', 'default', 'meaning'],
    rows
      .filter(([, row]) => !row.ignored)
      .map(([name, { aliases = [], default: fallback, doc, type }]) => [
        [name, ...aliases].map(code).join(', '),
        type.unit,
        code(fallback),
        doc,
      ]),
  );
}

function ignored(): string {
  const rows = Object.entries<SettingRow<unknown>>(settingTable).filter(([, row]) => row.ignored);
  return rows.map(([name, row]) => `- ${code(name)}: ${row.doc}`).join('\n');
}

function entity(collection: Collection): string {
  const { fields } = schemaOf(collection, {
    flavor: 'traditional_compatible',
    plugins: new Map(),
  });
  return fieldTable(fields);
}

test('docs/configuration.md is up to date', async () => {
  const sections: Record<string, string> = {
    settings: settings(),
    ignored: ignored(),
    upstreams: entity('upstreams'),
    targets: entity('targets'),
    services: entity('services'),
    routes: entity('routes'),
    consumers: entity('consumers'),
    consumer_groups: entity('consumer_groups'),
    keyauth_credentials: entity('keyauth_credentials'),
    basicauth_credentials: entity('basicauth_credentials'),
    hmacauth_credentials: entity('hmacauth_credentials'),
    jwt_secrets: entity('jwt_secrets'),
    acls: entity('acls'),
    oauth2_credentials: entity('oauth2_credentials'),
    oauth2_tokens: entity('oauth2_tokens'),
    plugins: entity('plugins'),
  };
  const found: string[] = [];
  const fresh = readFileSync(page, 'utf8').replace(
    /(<!-- generated: (\w+) -->\n)[^]*?(<!-- end -->)/g,
    (_all, start: string, name: string, end: string) => {
      found.push(name);
      return `${start}${sections[name]}\n${end}`;
    },
  );
  expect(found.sort()).toEqual(Object.keys(sections).sort());
  await expect(fresh).toMatchFileSnapshot(page.pathname);
});
