/** What properties are read of: the exchange, its answer, and what does not depend on either. */
import type { X509Certificate } from 'node:crypto';
import type { Route, Service } from '../../config/model.js';
import type { ExchangeView } from '../../core/exchange-view.js';
import type { TargetAddress } from '../../driver/contract.js';
import type { Exchange } from '../../plugin/exchange.js';
import type { PropertyValue } from '../adapter.js';

export interface PropertyFacts {
  /** Epoch milliseconds. */
  readonly wallMs: () => number;
  /** Number of an upstream address for one exchange. */
  readonly internTarget: (host: string, port: number) => number;
  readonly targetAddress: (index: number) => TargetAddress | undefined;
  /** What a client that asks for this server name is shown. */
  readonly certificateFor: (serverName: string) => X509Certificate | undefined;
  /** Settings of the node as text, by name; what is secret is left out. */
  readonly configuration: ReadonlyMap<string, string>;
}

export interface Subject {
  readonly facts: PropertyFacts;
  readonly exchange: Exchange;
  /** Null before there is an answer. */
  readonly answer: ExchangeView | null;
}

export type Read = (subject: Subject) => PropertyValue;
export type Reads = Readonly<Record<string, Read>>;

const nanosecondsPerMs = 1_000_000n;

/** A moment or a span, whole milliseconds. */
export const time = (ms: number): bigint => BigInt(Math.trunc(ms)) * nanosecondsPerMs;

export const target = ({ exchange }: Subject): string => exchange.view.target;
export const scheme: Read = ({ exchange }) => (exchange.view.tls ? 'https' : 'http');
export const protocol: Read = ({ exchange }) => `HTTP/1.${exchange.view.minorVersion}`;
export const status: Read = ({ answer }) => answer?.status;
export const route = ({ exchange }: Subject): Route | null => exchange.plan?.route ?? null;
export const service = ({ exchange }: Subject): Service | null => exchange.plan?.service ?? null;
export const durationMs = ({ facts, exchange }: Subject): number =>
  Math.max(0, facts.wallMs() - exchange.view.startWallMs);

export const query = (subject: Subject): string => {
  const text = target(subject);
  const mark = text.indexOf('?');
  return mark < 0 ? '' : text.slice(mark + 1);
};

/** A field of the request as it came. */
export const requestField =
  (name: string): Read =>
  ({ exchange }) =>
    exchange.view.header(name) ?? undefined;

/** A field of the answer as it came. */
export const answerField =
  (name: string): Read =>
  ({ answer }) =>
    answer?.header(name, 'response') ?? undefined;

/** Where the last attempt went, once an upstream has answered. */
export function upstream({ facts, answer }: Subject): TargetAddress | undefined {
  if (!answer || answer.upstreamStatus === 0) return undefined;
  return facts.targetAddress(answer.attempt);
}

/** Request line and fields: all of the request but its body. */
export function headBytes({ exchange }: Subject): number {
  const { view } = exchange;
  let size = view.method.length + view.target.length + 'x x HTTP/1.1'.length;
  view.eachHeader('request', (name, value) => {
    size += name.length + value.length + 4;
  });
  return size + 2;
}

export const bodyBytes = ({ exchange }: Subject): number =>
  Math.max(0, exchange.view.contentLength);

/** `-1` stands for what is not known yet. */
export const known = (size: number): PropertyValue => (size < 0 ? undefined : size);

const notAscii = /[^\x00-\x7f]/;

/** Texts off the wire have one character for each byte, and go on as these bytes. */
export const fromWire = (value: PropertyValue): PropertyValue =>
  typeof value === 'string' && notAscii.test(value) ? Buffer.from(value, 'latin1') : value;

export const allFromWire = (reads: Reads): Reads =>
  Object.fromEntries(
    Object.entries(reads).map(([name, read]): [string, Read] => [
      name,
      (subject) => fromWire(read(subject)),
    ]),
  );
