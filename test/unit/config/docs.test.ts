/** docs/configuration.md holds tables made from the schemas; `vitest run -u` writes them anew. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Collection, schemaOf } from '../../../src/config/entities.js';
import type { FieldSchema } from '../../../src/config/schema/field.js';
import { type SettingRow, settingTable } from '../../../src/config/setting-table.js';

const page = new URL('../../../docs/configuration.md', import.meta.url);

type Cells = readonly string[];

function table(head: Cells, rows: readonly Cells[]): string {
  const line = (cells: Cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const code = (text: string) => (text === '' ? '' : `\`${text}\``);

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
  const rows = Object.entries(fields).map(([name, field]) => {
    const { required, description = '' } = field;
    const fallback = 'default' in field ? field.default : undefined;
    const absent = required ? 'required' : '';
    const value = fallback === undefined ? absent : code(JSON.stringify(fallback));
    return [code(name), typeText(field), value, description];
  });
  return table(['field', 'type', 'default', 'meaning'], rows);
}

function typeText(field: FieldSchema): string {
  switch (field.type) {
    case 'string':
      return field.one_of ? `one of ${field.one_of.join(', ')}` : (field.format ?? 'text');
    case 'integer':
    case 'number': {
      if (field.one_of) return `one of ${field.one_of.join(', ')}`;
      return field.between ? `${field.type}, ${field.between.join(' to ')}` : field.type;
    }
    case 'array':
    case 'set':
      return `list of ${typeText(field.elements)}`;
    case 'map':
      return `map of ${typeText(field.keys)} to ${typeText(field.values)}`;
    case 'record':
      return `{ ${Object.keys(field.fields).join(', ')} }`;
    case 'foreign':
      return `reference into ${field.reference}`;
    default:
      return field.type === 'any' ? "the plugin's own" : field.type;
  }
}

test('docs/configuration.md is up to date', async () => {
  const sections: Record<string, string> = {
    settings: settings(),
    ignored: ignored(),
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
