/**
 * What the filter host needs of an exchange. The gateway's runner implements it over the core, the
 * workshop commands and tests over memory.
 */
import type { HeadFields } from '../core/head-fields.js';
import type { HeaderMap } from './header-map.js';

/** The four lists of an exchange, by MapType number. */
export type StreamMap = 0 | 1 | 2 | 3;

/**
 * A property: text, number (integers; as text, or 8 bytes), truth value, a moment or a span in
 * nanoseconds, bytes, or a list of fields. Undefined: there is none.
 */
export type PropertyValue = string | number | bigint | boolean | Uint8Array | HeaderMap | undefined;

export interface StreamAdapter {
  /**
   * Appends the fields of a list as they are without the edits of filters, pseudo-headers first.
   * The bytes may lie in memory that is reused when the phase ends.
   * @returns false where the exchange has no such list now
   */
  load(map: StreamMap, into: HeaderMap): boolean;
  /**
   * Lets `fields` show those of a list where they lie, pseudo-headers left out. What it shows moves
   * only when `FilterStream.settle` is called.
   * @returns false where the list is not there or has been changed ahead of filters
   */
  show(map: StreamMap, fields: HeadFields): boolean;
  /** Value of a property by its path, segments joined by dots; `segments` as they were given. */
  property(path: string, segments: readonly string[]): PropertyValue;
  /** @returns false where the property is unknown or cannot be set; null removes */
  setProperty(path: string, value: Uint8Array | null): boolean;
  /** The head of the answer has not gone on: a failure can still be told. Default false. */
  readonly answerWaits?: boolean;
  /** A paused direction may go on, or the stream has an answer; called outside of callbacks. */
  wake(): void;
}

/** An answer that a filter gave instead of the upstream's. */
export interface LocalReply {
  /** 200 to 599. */
  readonly status: number;
  readonly headers: HeaderMap;
  readonly body: Uint8Array;
  /** For the log only. */
  readonly details: string;
  /** True: the filter failed; the body is the gateway's own. */
  readonly failed: boolean;
}

export const emptyBytes = new Uint8Array(0);
