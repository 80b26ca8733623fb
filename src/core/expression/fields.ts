/** The request fields that expressions can name. */
import { ExpressionField, Need } from '../layout.js';
import type { Field } from './syntax.js';

/** Requests and streams have different fields; an expression is written for one of them. */
export type FieldSet = 'http' | 'stream';

type Plain = Pick<Field, 'code' | 'type' | 'need'>;

const common: Readonly<Record<string, Plain>> = {
  'net.protocol': { code: ExpressionField.PROTOCOL, type: 'String', need: 0 },
  'tls.sni': { code: ExpressionField.SNI, type: 'String', need: Need.SNI },
  'net.src.ip': { code: ExpressionField.SOURCE_IP, type: 'IpAddr', need: Need.SOURCE },
  'net.src.port': { code: ExpressionField.SOURCE_PORT, type: 'Int', need: Need.SOURCE },
  'net.dst.ip': { code: ExpressionField.DESTINATION_IP, type: 'IpAddr', need: Need.DESTINATION },
  'net.dst.port': { code: ExpressionField.DESTINATION_PORT, type: 'Int', need: Need.DESTINATION },
};

const plain: Readonly<Record<FieldSet, Readonly<Record<string, Plain>>>> = {
  stream: common,
  http: {
    ...common,
    'http.method': { code: ExpressionField.METHOD, type: 'String', need: Need.METHOD },
    'http.host': { code: ExpressionField.HOST, type: 'String', need: Need.HOST },
    'http.path': { code: ExpressionField.PATH, type: 'String', need: Need.PATH },
    'http.path.segments.len': {
      code: ExpressionField.SEGMENT_COUNT,
      type: 'Int',
      need: Need.PATH,
    },
  },
};

/** The largest number of a segment: more than any path has. */
const SEGMENT_MAX = 0xffff;

const fixed: Readonly<Record<FieldSet, ReadonlyMap<string, Field>>> = {
  stream: withoutNames(plain.stream),
  http: withoutNames(plain.http),
};

function withoutNames(fields: Readonly<Record<string, Plain>>): ReadonlyMap<string, Field> {
  return new Map(
    Object.entries(fields).map(([key, { code, type, need }]) => {
      return [key, { code, type, need, name: '', first: 0, last: 0 }];
    }),
  );
}

/** The field of that name; undefined where the set has none. */
export function fieldOf(name: string, set: FieldSet): Field | undefined {
  const known = fixed[set].get(name);
  if (known) return known;
  if (set === 'stream') return undefined;
  const earlier = named.get(name);
  if (earlier) return earlier;
  const field = namedField(name) ?? segmentField(name);
  if (field && named.size < namedMost) named.set(name, field);
  return field;
}

/** Fields with names that were asked for: thousands of routes share a few. */
const named = new Map<string, Field>();
const namedMost = 256;

function namedField(name: string): Field | undefined {
  // one more component, so no dot in it
  const found = /^http\.(headers|queries)\.([^.]+)$/.exec(name);
  if (!found) return undefined;
  const header = found[1] === 'headers';
  return {
    code: header ? ExpressionField.HEADER : ExpressionField.QUERY,
    type: 'String',
    need: header ? Need.HEADER : Need.QUERY,
    name: header ? found[2].toLowerCase() : found[2],
    first: 0,
    last: 0,
  };
}

/** `http.path.segments.<i>` and `http.path.segments.<i>_<j>` with i < j, without leading zeros. */
function segmentField(name: string): Field | undefined {
  const found = /^http\.path\.segments\.(0|[1-9]\d*)(?:_(0|[1-9]\d*))?$/.exec(name);
  if (!found) return undefined;
  const first = Math.min(Number(found[1]), SEGMENT_MAX);
  const last = found[2] === undefined ? first : Math.min(Number(found[2]), SEGMENT_MAX);
  if (found[2] !== undefined && BigInt(found[1]) >= BigInt(found[2])) return undefined;
  return {
    code: ExpressionField.SEGMENTS,
    type: 'String',
    need: Need.PATH,
    name: '',
    first,
    last,
  };
}
