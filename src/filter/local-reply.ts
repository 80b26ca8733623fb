/** An answer given by a filter: without framing and pseudo-headers, in gRPC's form if asked. */
import type { LocalReply } from './adapter.js';
import { HeaderMap } from './header-map.js';
import { fieldsOf } from './listed-headers.js';

export interface ReplyInput {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly body: Uint8Array;
  readonly details: string;
  /** Below 0: none. */
  readonly grpcStatus: number;
}

const dropped = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const noBytes = new Uint8Array(0);

/** `isGrpc`: of the request; a status of gRPC makes the answer trailers-only then. */
export function localReply(input: ReplyInput, isGrpc: boolean): LocalReply {
  const headers = new HeaderMap();
  for (const [name, value] of fieldsOf(input.headers)) {
    if (name[0] !== 58 && !dropped.has(name.toString('latin1'))) headers.append(name, value);
  }
  const { details } = input;
  if (isGrpc && input.grpcStatus >= 0) {
    setText(headers, 'content-type', 'application/grpc');
    setText(headers, 'grpc-status', String(input.grpcStatus));
    setText(headers, 'grpc-message', encodeMessage(input.body));
    return { status: 200, headers, body: noBytes, details, failed: false };
  }
  const { status } = input;
  const isEmpty = status === 204 || status === 304;
  const body = isEmpty ? noBytes : input.body;
  if (body.length > 0 && headers.findText('content-type') < 0) {
    headers.appendText('content-type', 'text/plain');
  }
  return { status, headers, body, details, failed: false };
}

function setText(headers: HeaderMap, name: string, value: string): void {
  headers.replace(Buffer.from(name), Buffer.from(value, 'latin1'));
}

/** The message of gRPC: printable ASCII but `%`, everything else percent-encoded. */
function encodeMessage(body: Uint8Array): string {
  let text = '';
  for (const byte of body) {
    if (byte >= 32 && byte <= 126 && byte !== 37) text += String.fromCharCode(byte);
    else text += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}
