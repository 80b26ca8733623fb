/**
 * From the core's rings to the sinks of log plugins: one ring and one queue per queue name, records
 * decoded when a batch is collected. A worker owns one of these.
 */
import type { PluginEntity } from '../config/model.js';
import type { Core } from '../core/instance.js';
import { LogRecord } from '../core/layout.js';
import { LogTexts, recycle } from '../core/log-text.js';
import { type Ring, RingTable } from '../core/ring.js';
import { GatewayError } from '../errors.js';
import type { LogEntry, LogSink, QueueParameters } from '../plugin/log-types.js';
import type { Clock } from '../time.js';
import { asArray, asObjects, asTexts } from './batch-forms.js';
import { clientText, notedText } from './client-text.js';
import type { BatchHandler } from './delivery.js';
import { decodeLogRecord, type LogResolver } from './entry.js';
import { beyondAscii, entitiesText, entryText, peerText } from './entry-text.js';
import { journalProblem, readJournalSettings } from './journal-options.js';
import { JournaledShipping } from './journaled-shipping.js';
import { requestNotes, withNotes } from './notes.js';
import { OncePerInterval, queueDefaults, queueIdentity } from './params.js';
import type { QueueLog } from './queue.js';
import { inSeconds } from './queue-clock.js';
import { type DrainResult, QueueManager } from './queue-manager.js';
import type { QueueMetrics } from './queue-metrics.js';
import { type EntrySource, mapSource } from './source.js';
import { tlsText } from './tls-text.js';

export interface LogShippingOptions {
  readonly core: Core;
  readonly clock: Clock;
  readonly log: QueueLog;
  readonly resolver: LogResolver;
  /** Place among the workers of a node: each has journals of its own. Default 0. */
  readonly worker?: number;
}

/** One plugin entity's use of a ring. */
export interface LogAttachment {
  /** Number of the ring, for `RouteRecord.rings` of the routes that the plugin applies to. */
  readonly ring: number;
  /** Of the ring and the queue: plugins of one kind that name the same queue share them. */
  readonly key: string;
}

interface OwnAttachment extends LogAttachment {
  readonly source: Ring;
}

export class LogShipping {
  readonly rings: RingTable;
  readonly queues: QueueManager;
  readonly #options: LogShippingOptions;
  readonly #journaled: JournaledShipping;
  readonly #texts: LogTexts;
  readonly #warned = new OncePerInterval();

  constructor(options: LogShippingOptions) {
    this.#options = options;
    const { core, clock, log, resolver } = options;
    this.#texts = new LogTexts(core, {
      entities: (generation, route) => entitiesText(resolver.route(generation, route), resolver),
      peer: (target) => {
        const text = peerText(target, resolver);
        return beyondAscii.test(text) ? null : text;
      },
      fallback: (record) => this.#text(record),
      client: (id) => notedText(requestNotes.find(id)),
      credential(generation, place) {
        const credential = resolver.credential?.(generation, place) ?? null;
        return clientText({ credential, consumer: credential?.consumer ?? null });
      },
      tls: tlsText,
      get hasNotes() {
        return requestNotes.size > 0;
      },
    });
    this.rings = new RingTable(core);
    this.queues = new QueueManager({ clock: inSeconds(clock), log });
    this.#journaled = new JournaledShipping({
      queues: this.queues,
      clock: inSeconds(clock),
      log,
      worker: options.worker ?? 0,
      takeTexts: (ring, max, onBad) => this.#texts.take(ring, max, onBad),
    });
  }

  /**
   * Opens the queue of a log plugin. Attach the entities of a new configuration before those of the
   * old one are detached, and queues with the same name live on with all that waits in them.
   * @throws GatewayError GW_E_CONFIG_LIMIT where limits.rings queues are open, GW_E_QUEUE_JOURNAL
   */
  attach(plugin: PluginEntity, sink: LogSink<unknown>): LogAttachment {
    const { config } = plugin;
    const { clock, log, resolver } = this.#options;
    const { name: base, tag } = queueIdentity(plugin, sink.key?.(config));
    const name = sink.suffix ? `${base}:${sink.suffix}` : base;
    const parameters = sink.queue(config, (message) => {
      if (this.#warned.pass(`${name} ${message}`, clock.now())) log('warn', `[${tag}] ${message}`);
    });
    const settings = readJournalSettings((config.queue ?? {}) as object);
    const problem = journalProblem({ ...settings, ...parameters });
    if (problem) throw new GatewayError('GW_E_QUEUE_JOURNAL', `[${tag}] queue.${problem}`);
    // What a sink decodes itself refers to this process; after a restart it means nothing.
    const isKept = settings.journal !== null && !sink.decode;
    if (settings.journal !== null && !isKept) {
      const message = `[${tag}] queue.journal has no effect: entries of ${name} are in memory only`;
      if (this.#warned.pass(message, clock.now())) log('warn', message);
    }
    const queueKey = `${plugin.name} ${name}`;
    const key = isKept ? `${queueKey} in ${settings.journal}` : queueKey;
    const ring = this.rings.open(key, {
      maxEntries: parameters.max_entries,
      maxBytes: parameters.max_bytes,
    });
    const attachment: OwnAttachment = { ring: ring.id, key, source: ring };
    const warn = (message: string) => log('warn', `[${tag}] ${message}`);
    const sender = senderOf(sink, config, parameters, warn);
    if (isKept) {
      const { sendTexts } = sender;
      try {
        this.#journaled.attach({ key, queueKey, name, tag, ring, parameters, settings, sendTexts });
      } catch (error) {
        this.rings.close(ring);
        throw error;
      }
      return attachment;
    }
    const onBad = (error: unknown) =>
      log('error', `[${tag}] a log record was dropped: ${(error as Error).message}`);
    const source: EntrySource<unknown> = sender.wantsTexts
      ? recordSource(ring, clock, (max) =>
          sender.wantsArrays
            ? this.#texts.takeArray(ring, max, onBad)
            : this.#texts.take(ring, max, onBad),
        )
      : mapSource(
          recordSource(ring, clock, (max) => ring.take(max)),
          (record) => sink.decode?.(record, resolver, config) ?? this.#decode(record),
          onBad,
        );
    this.queues.open(key, parameters, sender.handler, source, { name, tag });
    return attachment;
  }

  /**
   * Gives an attachment back, once no exchange of its generation is left. Resolves when the queue
   * has sent what waits, if this was its last use.
   */
  async detach(attachment: LogAttachment): Promise<void> {
    const { key } = attachment;
    await (this.#journaled.has(key) ? this.#journaled.detach(key) : this.queues.release(key));
    this.rings.close((attachment as OwnAttachment).source);
  }

  /** The JSON text of a record; only those that plugins noted something for are made as objects. */
  #text(record: Buffer): Uint8Array {
    const noted = requestNotes.size > 0 && requestNotes.find(requestIdOf(record));
    if (!noted) return entryText(record, this.#options.resolver);
    return Buffer.from(JSON.stringify(this.#decode(record)));
  }

  /** Kong's log record, with what plugins noted about the request. */
  #decode(record: Buffer): LogEntry {
    const { clock, log, resolver } = this.#options;
    const entry = decodeLogRecord(record, resolver);
    return withNotes(entry, requestNotes.find(entry.request.id), ({ message }) => {
      if (this.#warned.pass(message, clock.now())) log('warn', message);
    });
  }

  /** Moves new records of queues with a journal to disk; call it with every batch of events. */
  pollJournals(): void {
    if (this.#journaled.active) this.#journaled.poll();
  }

  /** Looks for new records; call it often. */
  pollAll(): void {
    this.pollJournals();
    this.queues.pollAll();
  }

  /** Sends what waits, for `timeoutMs` at most. */
  drain(timeoutMs: number): Promise<DrainResult> {
    this.pollJournals();
    return this.queues.drain(timeoutMs);
  }

  metrics(): QueueMetrics[] {
    return this.queues.metrics();
  }
}

const requestIdOf = (record: Buffer): string =>
  record.toString('latin1', LogRecord.requestId, LogRecord.requestId + 32);

/** How batches reach a sink: as texts where it takes them, best as one array, else as objects. */
function senderOf(
  sink: LogSink<unknown>,
  config: unknown,
  { concurrency_limit }: QueueParameters,
  warn: (message: string) => void,
) {
  const wantsTexts = sink.sendTexts !== undefined && (sink.takesTexts?.(config) ?? true);
  // Without a limit of its concurrency a queue hands entries over one by one.
  const mayArray = wantsTexts && sink.sendArray !== undefined && concurrency_limit !== -1;
  const wantsArrays = mayArray && (sink.takesArrays?.(config) ?? true);
  const sendTexts = async (batch: readonly unknown[], signal: AbortSignal) => {
    if (wantsTexts) await sink.sendTexts?.(asTexts(batch), config, signal);
    else await sink.send(asObjects(batch), config, signal, warn);
    return true as const;
  };
  const sendArray = async (batch: readonly unknown[], signal: AbortSignal) => {
    if (await sink.sendArray?.(asArray(batch), config, signal)) recycle(batch);
    return true as const;
  };
  const handler: BatchHandler<unknown> = wantsArrays ? sendArray : sendTexts;
  return { wantsTexts, wantsArrays, sendTexts, handler };
}

/** A ring of the core whose records know when their request began. */
function recordSource<T>(ring: Ring, clock: Clock, take: (max: number) => T[]): EntrySource<T> {
  return {
    get count() {
      return ring.count;
    },
    get bytes() {
      return ring.bytes;
    },
    get dropped() {
      return ring.dropped;
    },
    take,
    oldestAgeMs: () => {
      const startMs = ring.oldestF64(LogRecord.startWallMs);
      return startMs === null ? 0 : clock.wall() - startMs;
    },
  };
}

/**
 * Lets a plugin's `log` handler be attached like a sink: every record once, in order; a handler
 * that fails is reported and not repeated.
 */
export function handlerSink<Config>(
  log: (entry: LogEntry, config: Config) => void | Promise<void>,
  onError: (error: unknown) => void,
): LogSink<Config> {
  return {
    queue: () => ({ ...queueDefaults, max_batch_size: 100, max_coalescing_delay: 0.05 }),
    async send(batch, config, signal) {
      for (const entry of batch) {
        if (signal.aborted) return;
        try {
          await log(entry, config);
        } catch (error) {
          onError(error);
        }
      }
    },
  };
}
