/** Kong's propagation settings: which formats are read, cleared and written. */
import type { RecordField, StringField } from '../plugin/schema.js';
import { type ExtractFormat, extractFormats } from './extract.js';
import { type InjectFormat, injectFormats } from './inject.js';

export interface Propagation {
  readonly extract: readonly ExtractFormat[];
  readonly clear: readonly string[];
  readonly inject: readonly (InjectFormat | 'preserve')[];
  readonly defaultFormat: InjectFormat;
}

/** What a plugin's config says; the last two are Kong's older names. */
export interface PropagationConfig {
  readonly propagation: {
    readonly extract?: readonly string[] | null;
    readonly clear?: readonly string[] | null;
    readonly inject?: readonly string[] | null;
    readonly default_format: string;
  };
  readonly header_type?: string | null;
  readonly default_header_type?: string | null;
}

/** The `propagation` record; without `extract`, `clear` and `inject` the older fields apply. */
export function propagationField(defaultFormat: InjectFormat) {
  return {
    type: 'record',
    required: true,
    description: 'Formats of trace headers.',
    default: { default_format: defaultFormat },
    fields: {
      extract: {
        type: 'array',
        elements: { type: 'string', one_of: extractFormats },
        description: 'Formats looked for in requests; the first that yields something wins.',
      },
      clear: {
        type: 'array',
        elements: { type: 'string', format: 'header_name' },
        description: 'Headers taken out of the request to the upstream.',
      },
      inject: {
        type: 'array',
        elements: { type: 'string', one_of: ['preserve', ...injectFormats] },
        description: 'Formats written; `preserve` is the one that was found.',
      },
      default_format: {
        type: 'string',
        required: true,
        one_of: injectFormats,
        description: 'For `preserve` where nothing was found.',
      },
    },
  } as const satisfies RecordField;
}

/** The older field `header_type`. */
export const headerTypeField = {
  type: 'string',
  one_of: ['preserve', 'ignore', 'b3', 'b3-single', ...extractFormats.filter((f) => f !== 'b3')],
  default: 'preserve',
  description: 'Older form of `propagation`.',
} as const satisfies StringField;

/** The order in which the older fields look for formats. */
const formerOrder: readonly ExtractFormat[] = [
  'b3',
  'w3c',
  'jaeger',
  'ot',
  'datadog',
  'aws',
  'gcp',
  'instana',
];

const known = new WeakMap<object, Propagation>();

/** What applies for a config; worked out once. */
export function propagationOf(config: PropagationConfig): Propagation {
  let propagation = known.get(config);
  if (!propagation) {
    propagation = resolve(config);
    known.set(config, propagation);
  }
  return propagation;
}

function resolve({
  propagation: given,
  header_type: type,
  default_header_type: former,
}: PropagationConfig): Propagation {
  const list = <T>(values: readonly string[] | null | undefined) => (values ?? []) as readonly T[];
  if (given.extract || given.clear || given.inject) {
    return {
      extract: list(given.extract),
      clear: list(given.clear),
      inject: list(given.inject),
      defaultFormat: given.default_format as InjectFormat,
    };
  }
  const defaultFormat = (former ?? given.default_format) as InjectFormat;
  const ignore = type === 'ignore';
  const inject = ignore ? [defaultFormat] : (['preserve', ...named(type)] as const);
  return { extract: ignore ? [] : formerOrder, clear: [], inject, defaultFormat };
}

const named = (type: string | null | undefined): InjectFormat[] =>
  type && type !== 'preserve' ? [type as InjectFormat] : [];
