/** One request to a gateway under test, and everything that came of it. */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import type { PhaseRecorder } from './recorder.js';

export interface InjectOptions {
  readonly method?: string;
  /** Path and query; default `/`. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  /** Of the client; default `127.0.0.1`. Without sockets only. */
  readonly address?: string;
  /** The request came over TLS, on port 8443 instead of 8000. Without sockets only. */
  readonly tls?: boolean;
}

export interface InjectedResponse {
  readonly status: number;
  /** By lower-case name; repeated fields joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Fields behind a chunked body, as `headers`. */
  readonly trailers: Readonly<Record<string, string>>;
  json(): unknown;
  /** Handlers of the plugins under test that ran, in order, as `name.phase`. */
  readonly phases: readonly string[];
}

/** Sends a request `over` a connection and waits for the whole answer. */
export async function inject(
  over: RequestOptions,
  { method = 'GET', path = '/', headers = {}, body }: InjectOptions,
  recorder: PhaseRecorder,
): Promise<InjectedResponse> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const given = Object.entries(headers).map(([name, value]) => [name, value as string]);
    const fields = Object.fromEntries(given);
    const sent = httpRequest({ ...over, method, path, headers: fields }, resolve);
    sent.once('error', reject);
    sent.end(body);
  });
  const parts: Buffer[] = [];
  for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
  const text = Buffer.concat(parts).toString();
  const fields = joined(answer.headersDistinct);
  return {
    status: answer.statusCode ?? 0,
    headers: fields,
    body: text,
    trailers: joined(answer.trailersDistinct),
    json: () => JSON.parse(text) as unknown,
    phases: recorder.phasesOf(fields['x-kong-request-id'] ?? ''),
  };
}

function joined(distinct: NodeJS.Dict<string[]>): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, values] of Object.entries(distinct)) fields[name] = (values ?? []).join(', ');
  return fields;
}
