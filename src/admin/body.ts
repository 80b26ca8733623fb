/** Reads the body of an Admin API request within its limit. */
import type { IncomingMessage } from 'node:http';
import { JsonReader } from '../config/json-reader.js';
import { GatewayError } from '../errors.js';
import type { Steps } from '../slices.js';

/**
 * The whole body.
 * @throws GatewayError GW_E_ADMIN_BODY where it is longer than `bytesMax`
 */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > bytesMax) {
      throw new GatewayError('GW_E_ADMIN_BODY', `the body is larger than ${bytesMax} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The configuration text in a `POST /config` body, and how to read it. */
export interface ConfigBody {
  readonly text: string;
  readonly format: 'json' | 'yaml';
  /** Other fields of a JSON or form body: `check_hash`, `flatten_errors`. */
  readonly options: Readonly<Record<string, string>>;
}

/** 415: a content type that is none of ours; 400 with a message; or the configuration. */
export type ConfigBodyResult =
  | ConfigBody
  | { readonly status: 400; readonly message: string }
  | { readonly status: 415 };

const MISSING = { status: 400, message: 'expected a declarative configuration' } as const;

/** Finds the configuration in a body, in steps (kong-config reference, sections 9 and 11). */
export function* configSteps(body: Buffer, contentType: string): Steps<ConfigBodyResult> {
  const type = contentType.split(';', 1)[0].trim().toLowerCase();
  const text = body.toString('utf8');
  if (type === 'application/yaml' || type === 'text/yaml') {
    return text.trim() === '' ? MISSING : { text, format: 'yaml', options: {} };
  }
  if (type === 'application/x-www-form-urlencoded') return fromForm(new URLSearchParams(text));
  if (type === 'multipart/form-data') return fromForm(multipart(text, contentType));
  if (type === '' || type === 'application/json') return yield* fromJson(text);
  return { status: 415 };
}

/** As Kong: more arguments than this are an error, not cut off. */
const argumentsMax = 1000;

function fromForm(form: URLSearchParams): ConfigBodyResult {
  if ([...form.keys()].length > argumentsMax) return { status: 400, message: 'Too many arguments' };
  const config = form.get('config');
  if (config === null || config.trim() === '') return MISSING;
  form.delete('config');
  return { text: config, format: 'yaml', options: Object.fromEntries(form) };
}

function* fromJson(text: string): Steps<ConfigBodyResult> {
  if (text.trim() === '') return MISSING;
  const value = yield* parsed(text);
  if (value === undefined) return { status: 400, message: 'Cannot parse JSON body' };
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return MISSING;
  const { config, check_hash, flatten_errors, ...rest } = value as Record<string, unknown>;
  const given = Object.entries({ check_hash, flatten_errors }).filter(([, v]) => v !== undefined);
  const options = Object.fromEntries(given.map(([name, v]) => [name, String(v)]));
  if (typeof config === 'string') return { text: config, format: 'yaml', options };
  if (config === undefined && Object.keys(rest).length === 0) return MISSING;
  // The text as sent where it can be, so that its hash is the one that the client can compute.
  const isWhole = config === undefined && given.length === 0;
  const document = isWhole ? text : jsonOf(config === undefined ? rest : config);
  if (document === null) return { status: 400, message: 'the configuration is nested too deeply' };
  return { text: document, format: 'json', options };
}

/** In steps where a configuration could be made of it, else at once; undefined: it is no JSON. */
function* parsed(text: string): Steps<unknown> {
  try {
    return yield* new JsonReader(text).steps();
  } catch {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }
}

/** Null where the value nests so deeply that it cannot be written. */
function jsonOf(value: unknown): string | null {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Text parts of a multipart body; the delimiter comes from the content type (RFC 7578). */
function multipart(text: string, contentType: string): URLSearchParams {
  const fields = new URLSearchParams();
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined) return fields;
  for (const part of text.split(`--${boundary}`).slice(1, -1)) {
    const split = part.indexOf('\r\n\r\n');
    const name = /name="([^"]*)"/i.exec(part.slice(0, split))?.[1];
    if (split > 0 && name !== undefined)
      fields.append(name, part.slice(split + 4).replace(/\r\n$/, ''));
  }
  return fields;
}
