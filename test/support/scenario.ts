/**
 * Scenarios of `test/compat/plugins.json`: a declarative configuration and requests with what must
 * come back and what the upstream must have seen. They are asked over sockets.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Scenario {
  readonly name: string;
  readonly plugin: string;
  readonly requires?: readonly string[];
  readonly declarative_config: object;
  readonly steps: readonly Step[];
}

interface Step {
  readonly wait_ms?: number;
  readonly request: ScenarioRequest;
  readonly expect: Expectation;
  /** Names of later placeholders to members of the JSON body. */
  readonly save?: Readonly<Record<string, string>>;
}

interface ScenarioRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: string;
  readonly body_repeat?: { readonly char: string; readonly count: number };
  readonly chunked?: boolean;
  readonly tls?: boolean;
}

interface Expectation {
  readonly status?: number;
  readonly headers?: object;
  readonly body_json_subset?: object;
  readonly body_json_equals?: unknown;
  readonly body_json_absent?: readonly string[];
  readonly body_matches?: string;
  readonly upstream_saw?: Seen | null;
}

/** What an upstream received. */
export interface Seen {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: string;
  readonly body_json_equals?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Fields by lower-case name, repeated ones joined. */
export function joined(raw: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    fields[name] = name in fields ? `${fields[name]}, ${raw[i + 1]}` : raw[i + 1];
  }
  return fields;
}

/** Sends a request over a connection of its own. */
export function send(given: ScenarioRequest, port: number, tlsPort: number): Promise<Answer> {
  const { method, path, host, tls = false, chunked = false } = given;
  const headers: Record<string, string | number> = { Host: host };
  for (const [name, value] of Object.entries(given.headers ?? {})) {
    if (value !== null) headers[name] = value;
  }
  const repeat = given.body_repeat;
  const body = repeat ? repeat.char.repeat(repeat.count) : given.body;
  if (body !== undefined && chunked) headers['Transfer-Encoding'] = 'chunked';
  else if (body !== undefined) headers['Content-Length'] = Buffer.byteLength(body);
  const target = { host: '127.0.0.1', port: tls ? tlsPort : port, method, path, headers };
  const options = { ...target, setHost: false, agent: false };
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage) => void read(response).then(resolve, reject);
    const asked = tls
      ? httpsRequest({ ...options, rejectUnauthorized: false, servername: host }, answered)
      : httpRequest(options, answered);
    asked.on('error', reject);
    asked.end(body);
  });
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  return { status: response.statusCode ?? 0, headers: joined(response.rawHeaders), body };
}

/** What is not as expected. */
export function faultsOf(expected: Expectation, answer: Answer, seen: readonly Seen[]): string[] {
  const faults: string[] = [];
  if (expected.status !== undefined) compare(expected.status, answer.status, 'status', faults);
  if (expected.headers) compare(expected.headers, answer.headers, 'headers', faults);
  const json = parse(answer.body);
  if (expected.body_json_subset) compare(expected.body_json_subset, json, 'body', faults);
  if (expected.body_json_equals !== undefined && !same(json, expected.body_json_equals)) {
    faults.push(`body ${answer.body} is not ${JSON.stringify(expected.body_json_equals)}`);
  }
  for (const name of expected.body_json_absent ?? []) {
    if (name in Object(json)) faults.push(`body.${name} must be absent`);
  }
  if (expected.body_matches && !pattern(expected.body_matches).test(answer.body)) {
    faults.push(`body ${answer.body} does not match ${expected.body_matches}`);
  }
  compareUpstream(expected.upstream_saw, seen, faults);
  return faults;
}

function compareUpstream(
  expected: Seen | null | undefined,
  seen: readonly Seen[],
  faults: string[],
): void {
  if (expected === undefined) return;
  if (expected === null) {
    if (seen.length > 0) faults.push('the upstream was asked');
    return;
  }
  const [first] = seen;
  if (!first) {
    faults.push('the upstream was not asked');
    return;
  }
  const { body_json_equals: body, ...rest } = expected;
  compare(rest, first, 'upstream', faults);
  if (body !== undefined && !same(parse(first.body ?? ''), body)) {
    faults.push(`upstream body ${first.body} is not ${JSON.stringify(body)}`);
  }
}

/** Objects are compared by the members that are expected; null: absent; `{re}`: a pattern. */
function compare(expected: unknown, actual: unknown, at: string, faults: string[]): void {
  const differs = () => faults.push(`${at}: ${JSON.stringify(actual)}, not ${show(expected)}`);
  if (expected === null) {
    if (actual !== undefined && actual !== null) differs();
  } else if (Array.isArray(expected) || typeof expected !== 'object') {
    if (!same(expected, actual)) differs();
  } else if (typeof (expected as { re?: unknown }).re === 'string') {
    const text = typeof actual === 'string' ? actual : JSON.stringify(actual);
    if (text === undefined || !pattern((expected as { re: string }).re).test(text)) differs();
  } else if (typeof actual !== 'object' || actual === null) {
    differs();
  } else {
    for (const [name, value] of Object.entries(expected)) {
      compare(value, (actual as Record<string, unknown>)[name], `${at}.${name}`, faults);
    }
  }
}

const show = (value: unknown): string => JSON.stringify(value);

const pattern = (text: string): RegExp =>
  text.startsWith('(?i)') ? new RegExp(text.slice(4), 'i') : new RegExp(text);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const same = (a: unknown, b: unknown): boolean => show(sorted(a)) === show(sorted(b));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, one]) => [name, sorted(one)]),
  );
}
