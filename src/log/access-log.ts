/**
 * The access log: one JSON line per exchange, to a file or to standard output. The core writes
 * records into a ring of its own; lines are made and written here in blocks, off the request path.
 * A destination that is too slow costs the oldest lines, never memory or latency.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { readAddress } from '../core/address.js';
import { LogFlag, LogRecord } from '../core/layout.js';
import { GatewayError } from '../errors.js';
import type { Clock } from '../time.js';
import { type LogResolver, readRecord } from './entry.js';
import { hostOf, readHead, readTarget } from './head-text.js';
import type { EntrySource } from './source.js';

export interface AccessLogOptions {
  /** A file path (appended to, created with mode 0644), or `stdout`. */
  readonly destination: string;
  readonly source: EntrySource<Buffer>;
  readonly resolver: LogResolver;
  readonly clock: Clock;
  /** Lines could not be written; the log goes on with the next ones. */
  readonly onError: (error: Error) => void;
}

/** Records made into lines and written at once, and how long the first of them may wait. */
const blockRecords = 256;
const flushMs = 100;
const NONE = 0xffffffff;

export class AccessLog {
  readonly #options: AccessLogOptions;
  readonly #output: Output;
  #scheduled = false;
  #closed = false;
  #flushing: Promise<void> | null = null;
  #written = 0;

  private constructor(options: AccessLogOptions, output: Output) {
    this.#options = options;
    this.#output = output;
  }

  /**
   * Opens the destination.
   * @throws GatewayError GW_E_SETTING_VALUE where the file cannot be opened
   */
  static async open(options: AccessLogOptions): Promise<AccessLog> {
    const { destination } = options;
    if (destination === 'stdout') return new AccessLog(options, new StreamOutput(process.stdout));
    return new AccessLog(options, new FileOutput(destination, await openFile(destination)));
  }

  /** Lines written since the start. */
  get written(): number {
    return this.#written;
  }

  /** Looks for new records; cheap enough for every batch of events. */
  poll(): void {
    if (this.#scheduled || this.#flushing || this.#closed) return;
    if (this.#options.source.count === 0) return;
    this.#scheduled = true;
    this.#options.clock.setTimeout(() => {
      this.#scheduled = false;
      void this.flush();
    }, flushMs);
  }

  /** Writes what waits now. Never rejects. */
  flush(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#flushing ??= this.#writeAll().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  /**
   * Opens the file again, after a rotation moved it away; nothing for standard output.
   * @throws GatewayError GW_E_SETTING_VALUE where that fails; the old file is then kept
   */
  async reopen(): Promise<void> {
    await this.flush();
    await this.#output.reopen();
  }

  /** Writes what waits and closes the file. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.flush();
    this.#closed = true;
    await this.#output.close();
  }

  async #writeAll(): Promise<void> {
    const { source, resolver, onError } = this.#options;
    while (source.count > 0) {
      const records = source.take(blockRecords);
      try {
        const lines = records.map((record) => `${accessLine(record, resolver)}\n`);
        await this.#output.write(lines.join(''));
        this.#written += records.length;
      } catch (error) {
        onError(error as Error);
      }
    }
  }
}

/**
 * The line of one record, without its line feed. Times are milliseconds; `upstream_ms`,
 * `upstream_status` and `upstream` are left out where the gateway answered itself.
 * @throws GatewayError GW_E_STATE where the bytes are no record
 */
export function accessLine(record: Buffer, resolver: LogResolver): string {
  const raw = readRecord(record);
  const u32 = (offset: number) => record.readUInt32LE(offset);
  const { startLine, headers } = readHead(raw.requestHead, raw.headCut);
  const [method = '', rawTarget = '', protocol = ''] = startLine.split(' ', 3);
  const { uri, authority } = readTarget(rawTarget);
  const host = authority ?? headers.host;
  const route = resolver.route(raw.generation, raw.route);
  const upstreamMs = u32(LogRecord.upstreamMs);
  const target = u32(LogRecord.target);
  const address = target === NONE ? undefined : resolver.target(target);
  const proxied = raw.upstreamStatus !== 0;
  return JSON.stringify({
    time: new Date(record.readDoubleLE(LogRecord.startWallMs)).toISOString(),
    id: record.toString('latin1', LogRecord.requestId, LogRecord.requestId + 32),
    client: readAddress(record, LogRecord.clientAddress),
    method,
    host: hostOf(typeof host === 'string' ? host : (host?.[0] ?? '')),
    uri,
    protocol,
    tls: (raw.flags & LogFlag.TLS) !== 0,
    status: raw.status,
    request_bytes: record.readDoubleLE(LogRecord.requestBytes),
    response_bytes: record.readDoubleLE(LogRecord.responseBytes),
    request_ms: u32(LogRecord.requestMs),
    gateway_ms: u32(LogRecord.gatewayMs),
    upstream_ms: upstreamMs === NONE ? undefined : upstreamMs,
    upstream_status: proxied ? raw.upstreamStatus : undefined,
    upstream: address && `${address.host}:${address.port}`,
    tries: u32(LogRecord.tries),
    route: route ? (route.name ?? route.id) : undefined,
    service: route?.service ? (route.service.name ?? route.service.id) : undefined,
    user_agent: headers['user-agent'],
    referer: headers.referer,
    aborted: (raw.flags & LogFlag.CLIENT_ABORT) !== 0 || undefined,
  });
}

interface Output {
  write(text: string): Promise<void>;
  reopen(): Promise<void>;
  close(): Promise<void>;
}

class FileOutput implements Output {
  readonly #path: string;
  #file: FileHandle;

  constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  write(text: string): Promise<void> {
    return this.#file.appendFile(text);
  }

  async reopen(): Promise<void> {
    const old = this.#file;
    this.#file = await openFile(this.#path);
    await old.close();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

class StreamOutput implements Output {
  readonly #stream: NodeJS.WritableStream;
  /** Without a listener a reader that went away would end the process. */
  readonly #ignore = () => {};

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    stream.on('error', this.#ignore);
  }

  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  async reopen(): Promise<void> {}

  async close(): Promise<void> {
    this.#stream.off('error', this.#ignore);
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'a', 0o644);
  } catch (cause) {
    throw new GatewayError(
      'GW_E_SETTING_VALUE',
      `access_log: cannot open ${path}: ${(cause as Error).message}`,
      { cause },
    );
  }
}
