/** What log plugins see: Kong's log record, and the batches that a sink ships. */

import type { LogResolver } from '../log/entry.js';

/** Kong's log record (`kong.log.serialize`): request, response, latencies, tries, client_ip, ... */
export type LogEntry = Readonly<Record<string, unknown>>;

/** Kong's queue parameters, as the `queue` record of a log plugin's config holds them. */
export interface QueueParameters {
  readonly max_batch_size: number;
  /** Seconds, like every time below. */
  readonly max_coalescing_delay: number;
  readonly max_entries: number;
  /** Null: no limit. */
  readonly max_bytes: number | null;
  readonly max_retry_time: number;
  readonly initial_retry_delay: number;
  readonly max_retry_delay: number;
  readonly concurrency_limit: 1 | -1;
}

export interface LogSink<Config> {
  /** Name of the queue: equal names share one. Without it every plugin entity has its own. */
  key?(config: Config): string;
  /** Appended to the queue's name behind a colon. */
  readonly suffix?: string;
  /**
   * Makes the entry of one record of the core, instead of Kong's log record; for sinks that come
   * with the gateway and need more, or less, than it holds.
   */
  decode?(record: Buffer, resolver: LogResolver, config: Config): LogEntry;
  /** The parameters of the queue that a configuration wants; `warn` hears about outdated fields. */
  queue(config: Config, warn?: (message: string) => void): QueueParameters;
  /**
   * Submits one batch, oldest entry first. A rejection is retried with back-off until
   * `max_retry_time` is over, then the batch is dropped and counted. `warn` logs what is wrong but
   * not worth a repetition.
   */
  send(
    batch: readonly LogEntry[],
    config: Config,
    signal: AbortSignal,
    warn: (message: string) => void,
  ): Promise<void>;
  /**
   * As `send`, from records that are JSON text (UTF-8) already, which costs half. Used instead
   * where it is given and `takesTexts` (default: always) holds for the config.
   */
  sendTexts?(batch: readonly Uint8Array[], config: Config, signal: AbortSignal): Promise<void>;
  takesTexts?(config: Config): boolean;
  /**
   * As `sendTexts`, but the whole batch is one JSON array in UTF-8. Used instead where it is given
   * and `takesArrays` holds for the config. True: nobody looks at the array any more.
   */
  sendArray?(array: Uint8Array, config: Config, signal: AbortSignal): Promise<boolean>;
  takesArrays?(config: Config): boolean;
  /** Further queues of a config, fed with the same records. */
  also?(config: Config): readonly LogSink<Config>[];
  /** Opens files again, after a rotation moved them away. */
  reopen?(): Promise<void>;
  /** Gives connections back, when the gateway closes. */
  close?(): Promise<void>;
}
