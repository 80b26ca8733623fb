/** Operations on the top-level members of a JSON object. */
import { parseJson } from '../shared/json.js';
import { type Pair, pairsOf } from '../shared/pairs.js';
import type { Config } from './plugin.js';

type Json = Record<string, unknown>;

/** The new body; null where the text is no JSON object. */
export function transformJson(config: Config, text: string): string | null {
  const body = parseJson(text);
  if (typeof body !== 'object' || body === null) return null;
  const json = body as Json;
  for (const name of config.remove.json) delete json[name];
  for (const { name, value } of pairsOf(config.rename.json)) {
    if (json[name] === undefined || !value) continue;
    json[value] = json[name];
    delete json[name];
  }
  const { replace, add, append } = config;
  for (const [name, value] of typed(replace.json, replace.json_types)) {
    if (isTrue(json[name])) put(json, name, value);
  }
  for (const [name, value] of typed(add.json, add.json_types)) {
    if (!isTrue(json[name])) put(json, name, value);
  }
  for (const [name, value] of typed(append.json, append.json_types)) {
    if (value === undefined) continue;
    const old = json[name];
    if (typeof old === 'string') json[name] = [old, value];
    else if (Array.isArray(old)) old.push(value);
    else json[name] = [value];
  }
  return JSON.stringify(json);
}

/** Values of one operation with the types of the same place. */
function* typed(list: readonly string[], types: readonly string[]): Iterable<[string, unknown]> {
  for (const [i, pair] of pairsOf(list).entries()) yield [pair.name, convert(pair, types[i])];
}

/** A value that its type has none for leaves nothing. */
function put(json: Json, name: string, value: unknown): void {
  if (value === undefined) delete json[name];
  else json[name] = value;
}

function convert({ value }: Pair, type: string | undefined): unknown {
  const text = (value ?? '').replaceAll('\\/', '/');
  if (type === 'boolean') return text === 'true';
  if (type !== 'number') return text;
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? undefined : number;
}

const isTrue = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== false;
