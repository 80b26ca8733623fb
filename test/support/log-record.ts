/** Builds log records by hand, and the resolver and entities that they name. */
import type { Route } from '../../src/config/model.js';
import { putAddress } from '../../src/core/address.js';
import { LogRecord } from '../../src/core/layout.js';
import type { LogResolver } from '../../src/log/entry.js';
import { makeService } from './entities.js';

const doubles = new Set(['startWallMs', 'requestBytes', 'responseBytes', 'bodyBytesSent']);

export interface RecordParts {
  readonly requestHead?: string;
  readonly upstreamTarget?: string;
  readonly responseHead?: string;
  readonly clientAddress?: string;
  readonly requestId?: string;
  /** Any numeric field of the struct. */
  readonly fields?: Partial<Record<keyof typeof LogRecord, number>>;
}

const proxied: Partial<Record<keyof typeof LogRecord, number>> = {
  generation: 1,
  route: 0,
  status: 200,
  upstreamStatus: 200,
  tries: 1,
  target: 3,
  peerPort: 40000,
  localPort: 8000,
  requestMs: 25,
  gatewayMs: 2,
  upstreamMs: 20,
  receiveMs: 3,
  startWallMs: 1_700_000_000_123.75,
  requestBytes: 61,
  responseBytes: 77,
  bodyBytesSent: 5,
};

/** A record as the core writes it; by default a proxied GET with status 200. */
export function logRecord(parts: RecordParts = {}): Buffer {
  const requestHead = Buffer.from(
    parts.requestHead ?? 'GET /shop?a=1 HTTP/1.1\r\nHost: Example.com:8000\r\n\r\n',
  );
  const target = Buffer.from(parts.upstreamTarget ?? '/base/shop?a=1');
  const responseHead = Buffer.from(
    parts.responseHead ?? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
  );
  const struct = Buffer.alloc(LogRecord.size);
  const fields = {
    ...proxied,
    bytes: LogRecord.size + requestHead.length + target.length + responseHead.length,
    requestHeadBytes: requestHead.length,
    upstreamTargetBytes: target.length,
    responseHeadBytes: responseHead.length,
    ...parts.fields,
  };
  for (const [name, value] of Object.entries(fields)) {
    const offset = LogRecord[name as keyof typeof LogRecord];
    if (doubles.has(name)) struct.writeDoubleLE(value, offset);
    else struct.writeUInt32LE(value, offset);
  }
  putAddress(struct, LogRecord.clientAddress, parts.clientAddress ?? '192.0.2.7');
  struct.write(parts.requestId ?? 'c0ffee'.padEnd(32, '0'), LogRecord.requestId, 'latin1');
  return Buffer.concat([struct, requestHead, target, responseHead]);
}

const stamps = { tags: null, created_at: 1_700_000_000, updated_at: 1_700_000_000 };

export const service = makeService(0, {
  ...stamps,
  id: '5e000000-0000-4000-8000-000000000001',
  name: 'shop',
  host: 'shop.internal',
  port: 8080,
  path: '/base',
});

export const route = {
  ...stamps,
  id: '70000000-0000-4000-8000-000000000001',
  name: 'shop-route',
  paths: ['/shop'],
  service,
} as unknown as Route;

export const resolver: LogResolver = {
  route: (generation, index) => (generation === 1 && index === 0 ? route : null),
  target: (index) => (index === 3 ? { host: '10.0.0.9', port: 8080 } : undefined),
  workspace: { id: '00000000-0000-4000-8000-00000000000f', name: 'default' },
};
