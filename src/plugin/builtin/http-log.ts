/** Kong's http-log: ships log records as JSON to an HTTP server, through a queue. */
import { joinTexts } from '../../log/batch-forms.js';
import { type CustomFieldsConfig, customFields, recordText } from '../../log/custom-fields.js';
import { queueField, queueParameters } from '../../log/params.js';
import { HttpSink } from '../../log/sink/http.js';
import { definePlugin } from '../define.js';

const sink = new HttpSink();

const schema = {
  fields: {
    http_endpoint: {
      type: 'string',
      required: true,
      format: 'url',
      encrypted: true,
      description: 'Where records go. User info becomes basic authorization; no query is sent.',
    },
    method: { type: 'string', one_of: ['POST', 'PUT', 'PATCH'], default: 'POST' },
    content_type: {
      type: 'string',
      one_of: ['application/json', 'application/json; charset=utf-8'],
      default: 'application/json',
    },
    timeout: { type: 'number', default: 10000, description: 'Milliseconds.' },
    keepalive: { type: 'number', default: 60000, description: 'Milliseconds.' },
    retry_count: { type: 'integer', description: 'Without effect; use queue.max_retry_time.' },
    queue_size: { type: 'integer', description: 'Older name of queue.max_batch_size.' },
    flush_timeout: { type: 'number', description: 'Older name of queue.max_coalescing_delay.' },
    headers: {
      type: 'map',
      keys: { type: 'string', format: 'header_name', check: headerNameFault },
      values: { type: 'string' },
      description: 'Further request fields.',
    },
    queue: queueField,
    ...customFields,
  },
  check: faultsOf,
} as const;

/** What the sink reads of a config. */
interface HttpLogConfig extends CustomFieldsConfig {
  readonly [field: string]: unknown;
  readonly http_endpoint: string;
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly content_type: string;
  readonly timeout: number;
  readonly keepalive: number;
  readonly retry_count?: number | null;
  readonly headers?: Readonly<Record<string, string>> | null;
  readonly queue?: object | null;
}

export default definePlugin({
  name: 'http-log',
  version: '3.10.0',
  priority: 12,
  schema,
  logSink: {
    key: (config) => httpLogQueueName(config),
    queue: (config, warn) => queueParameters(config, warn),
    async send(batch, config, signal) {
      const texts = batch.map((entry) => Buffer.from(recordText(entry, config)));
      await submit(bodyOf(texts, config), config, signal);
    },
    async sendTexts(batch, config, signal) {
      await submit(bodyOf(batch, config), config, signal);
    },
    takesTexts: (config) => !config.custom_fields_by_expression,
    sendArray: (array, config, signal) => submit(array, config, signal),
    takesArrays: (config) => queueParameters(config).max_batch_size > 1,
    close: () => sink.close(),
  },
});

function submit(body: Uint8Array, config: HttpLogConfig, signal: AbortSignal): Promise<boolean> {
  return sink.submit({
    endpoint: config.http_endpoint,
    method: config.method,
    contentType: config.content_type,
    headers: config.headers ?? null,
    timeoutMs: config.timeout,
    keepaliveMs: config.keepalive,
    body,
    signal,
  });
}

/** Plugins with these six values in common share a queue. */
export function httpLogQueueName(config: HttpLogConfig): string {
  const { http_endpoint, method, content_type, timeout, keepalive, retry_count } = config;
  return [http_endpoint, method, content_type, timeout, keepalive, retry_count ?? 'nil'].join(':');
}

const bodyOf = (texts: readonly Uint8Array[], config: HttpLogConfig): Uint8Array =>
  httpLogBody(texts, queueParameters(config).max_batch_size);

/** A single object where batches have one entry, else an array, even of one. */
export function httpLogBody(texts: readonly Uint8Array[], maxBatchSize: number): Uint8Array {
  if (maxBatchSize > 1) return joinTexts(texts);
  if (texts.length === 1) return texts[0];
  throw new Error(
    'internal error, received more than one entry in queue handler even though max_batch_size is 1',
  );
}

function headerNameFault(name: string): string | undefined {
  const fixed = ['Host', 'Content-Length', 'Content-Type'].find(
    (one) => one.toLowerCase() === name.toLowerCase(),
  );
  return fixed && `cannot contain '${fixed}' header`;
}

function faultsOf(config: Readonly<Record<string, unknown>>): Record<string, string> {
  const names = Object.keys(config.headers ?? {}).map((name) => name.toLowerCase());
  const hasUserInfo = /^https?:\/\/[^/?#]*@/i.test(String(config.http_endpoint));
  if (!names.includes('authorization') || !hasUserInfo) return {};
  return {
    '@entity':
      "specifying both an 'Authorization' header and user info in 'http_endpoint' is not allowed",
  };
}
