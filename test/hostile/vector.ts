/** Shape of a hostile request, and short ways to spell one. */

export interface RequestVector {
  readonly name: string;
  /** The whole request, one character per byte. */
  readonly bytes: string;
  /** Status of the gateway's own answer, or that the request goes on to the upstream. */
  readonly expect: number | 'forwarded';
  /** Where it comes from: RFC section, R (MUST), S (SHOULD) or P (practice against attacks). */
  readonly rule: string;
  /** The connection must be closed after the answer. Default: for every refusal. */
  readonly closes?: boolean;
  /** What the upstream must see: "METHOD target" of every request in the bytes. */
  readonly sees?: readonly string[];
  /** Lower-case field names the upstream must not get. */
  readonly without?: readonly string[];
  /** Body the upstream must get. */
  readonly body?: string;
  /** The fault is in the body: the upstream may have got the head, but no complete request. */
  readonly late?: boolean;
}

/** GET /t with these field lines (each ended by CR LF) behind Host. */
export const get = (lines: string): string => `GET /t HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;

/** POST /t with these field lines and this body. */
export const post = (lines: string, body: string): string =>
  `POST /t HTTP/1.1\r\nHost: a\r\n${lines}\r\n${body}`;

/** POST /t with a chunked body in exactly this spelling. */
export const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);

/** Any request line, with a Host. */
export const line = (text: string): string => `${text}\r\nHost: a\r\n\r\n`;

/** A row per vector: name, bytes, expectation, rule, exceptions. */
export type Row = readonly [
  name: string,
  bytes: string,
  expect: RequestVector['expect'],
  rule: string,
  more?: Omit<Partial<RequestVector>, 'name' | 'bytes' | 'expect' | 'rule'>,
];

export const rows = (table: readonly Row[]): RequestVector[] =>
  table.map(([name, bytes, expect, rule, more]) => ({ name, bytes, expect, rule, ...more }));
