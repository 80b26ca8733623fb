/** A batch of 200 log records as one JSON array, from the core's rings. */
import { createCore } from '../src/core/instance.js';
import { arrayOf, LogTexts } from '../src/core/log-text.js';
import { RingTable } from '../src/core/ring.js';
import { decodeLogRecord } from '../src/log/entry.js';
import { entitiesText, entryText, peerText } from '../src/log/entry-text.js';
import { tlsText } from '../src/log/tls-text.js';
import { logRecord, resolver } from '../test/support/log-record.js';
import type { BenchSuite } from './lib/suite.js';

const batch = 200;
const record = logRecord({
  requestHead:
    'GET /shop?a=1 HTTP/1.1\r\nHost: shop.example:8000\r\nUser-Agent: bench/1.0\r\n' +
    'Accept: */*\r\n\r\n',
  responseHead:
    'HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 19:15:29 GMT\r\n' +
    'Content-Type: text/plain\r\nVia: 1.1 headgate/0.1.0\r\nX-Kong-Upstream-Latency: 4\r\n' +
    'X-Kong-Proxy-Latency: 0\r\nX-Kong-Request-Id: f3b38242cdc619b20266f80af1e0946b\r\n' +
    'Content-Length: 100\r\n\r\n',
});
const core = createCore();
const ring = new RingTable(core).open('bench', { maxEntries: batch });
const texts = new LogTexts(core, {
  entities: (generation, route) => entitiesText(resolver.route(generation, route), resolver),
  peer: (target) => peerText(target, resolver),
  fallback: (bytes) => entryText(bytes, resolver),
  client: () => new Uint8Array(0),
  tls: tlsText,
  credential: () => new Uint8Array(0),
  hasNotes: false,
});

function fill(): void {
  for (let i = 0; i < batch; i++) ring.push(record);
}

function onBad(error: unknown): void {
  throw error;
}

function objects(): string {
  fill();
  return JSON.stringify(ring.take(batch).map((bytes) => decodeLogRecord(bytes, resolver)));
}

function byCore(): Uint8Array {
  fill();
  const whole = arrayOf(texts.takeArray(ring, batch, onBad));
  if (!whole) throw new Error('the core left a common record to the shell');
  return whole;
}

function filling(): void {
  fill();
  core.exports.ring_release(ring.id, batch);
}

export const suite: BenchSuite = {
  name: 'log records as JSON, per record',
  cases: [
    { name: 'objects, JSON.stringify', fn: objects, baseline: true, operations: batch },
    { name: 'by the core', fn: byCore, operations: batch },
    { name: 'putting them into the ring', fn: filling, operations: batch },
  ],
};
