/**
 * `NAME.meta.json`, which may lie beside a filter's module (as Kong has it): a JSON Schema of draft
 * 4 for the configuration, and patterns that take labels out of metric names.
 */
import AjvDraft04 from 'ajv-draft-04';
import { GatewayError } from '../errors.js';

export interface FilterMeta {
  /** As written; what `/schemas/filters/NAME` shows. */
  readonly configSchema: Readonly<Record<string, unknown>> | null;
  readonly labelPatterns: readonly LabelPattern[];
  /** The first fault of a configuration, null where it is valid. */
  readonly check: (config: unknown) => string | null;
}

export interface LabelPattern {
  readonly label: string;
  /** Group 1 is what is taken out of the name, group 2 the label's value. */
  readonly pattern: RegExp;
}

/** A filter without the file: a configuration is a string or null. */
export const noMeta: FilterMeta = {
  configSchema: null,
  labelPatterns: [],
  check: (config) => (config === null || typeof config === 'string' ? null : 'expected a string'),
};

const topKeys = ['config_schema', 'metrics'];
// draft 4 knows formats that are not checked here; they are annotations.
const Ajv = AjvDraft04 as unknown as typeof AjvDraft04.default;

/** @throws GatewayError GW_E_FILTER_MODULE naming the file and what is wrong */
export function parseMeta(text: string, file: string): FilterMeta {
  const fail = (reason: string): never => {
    throw new GatewayError('GW_E_FILTER_MODULE', `${file}: ${reason}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail('not valid JSON');
  }
  if (!isRecord(value)) return fail('expected an object');
  const unknown = Object.keys(value).filter((key) => !topKeys.includes(key));
  if (unknown.length > 0) return fail(`unknown field ${unknown.join(', ')}`);
  const schema = value.config_schema ?? null;
  if (schema !== null && !isRecord(schema)) return fail('config_schema: expected an object');
  const labelPatterns = labelsOf(value.metrics ?? null, fail);
  if (schema === null) return { ...noMeta, labelPatterns };
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: false });
  let validate: ReturnType<typeof ajv.compile>;
  try {
    validate = ajv.compile(schema);
  } catch (error) {
    return fail(`config_schema: ${(error as Error).message}`);
  }
  const check = (config: unknown): string | null => {
    if (validate(config)) return null;
    const [first] = validate.errors ?? [];
    const place = first?.instancePath ? `property ${first.instancePath.slice(1)}: ` : '';
    return `${place}${first?.message ?? 'invalid'}`;
  };
  return { configSchema: schema, labelPatterns, check };
}

function labelsOf(metrics: unknown, fail: (reason: string) => never): LabelPattern[] {
  if (metrics === null) return [];
  const list = isRecord(metrics) ? (metrics.label_patterns ?? []) : null;
  if (!Array.isArray(list)) return fail('metrics: expected label_patterns to be an array');
  return list.map((item: unknown) => {
    const { label, pattern } = isRecord(item) ? item : {};
    if (typeof label !== 'string' || typeof pattern !== 'string') {
      return fail('metrics.label_patterns: expected label and pattern to be strings');
    }
    try {
      return { label, pattern: new RegExp(pattern) };
    } catch (error) {
      return fail(`metrics.label_patterns: ${(error as Error).message}`);
    }
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
