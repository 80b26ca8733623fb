/** Tables of the documentation that are made from schemas. */
import type { FieldSchema, Fields } from '../../src/config/schema/field.js';

type Cells = readonly string[];

export function table(head: Cells, rows: readonly Cells[]): string {
  const line = (cells: Cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export const code = (text: string) => (text === '' ? '' : `\`${text}\``);

/** One row per field of a schema. */
export function fieldTable(fields: Fields): string {
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
