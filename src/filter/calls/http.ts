/** One HTTP call of a filter: the whole answer is collected, within a size and a time. */
import type { Agent, Dispatcher } from 'undici';
import { limits } from '../../limits.js';
import type { Clock } from '../../time.js';
import { GrpcStatus } from '../abi.js';
import { HeaderMap } from '../header-map.js';
import { CallAnswer } from './answer.js';
import type { CallTarget } from './client.js';

export interface HttpCall {
  readonly target: CallTarget;
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  /** Name, value, name, value; without pseudo-headers and framing. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}

/**
 * Starts a call. `deliver` gets the answer or, with no headers and a status other than 0, the
 * failure; always in a later turn. @returns a function that cancels without a delivery
 */
export function startHttpCall(
  call: HttpCall,
  agent: Agent,
  clock: Clock,
  deliver: (answer: CallAnswer) => void,
): () => void {
  const abort = new AbortController();
  let isOver = false;
  const finish = (answer: CallAnswer) => {
    if (isOver) return;
    isOver = true;
    clock.clearTimeout(timer);
    deliver(answer);
  };
  const timer = clock.setTimeout(() => {
    finish(failed(GrpcStatus.DEADLINE, 'timeout'));
    abort.abort();
  }, call.timeoutMs);
  perform(call, agent, abort.signal).then(finish, (error: unknown) =>
    finish(failed(GrpcStatus.UNAVAILABLE, reasonOf(error))),
  );
  return () => {
    isOver = true;
    clock.clearTimeout(timer);
    abort.abort();
  };
}

async function perform(call: HttpCall, agent: Agent, signal: AbortSignal): Promise<CallAnswer> {
  const answer = await agent.request({
    origin: call.target.origin,
    path: call.path,
    method: call.method as Dispatcher.HttpMethod,
    headers: [...call.headers, 'host', call.authority],
    body: call.body.length > 0 ? call.body : null,
    headersTimeout: call.timeoutMs,
    bodyTimeout: call.timeoutMs,
    responseHeaders: 'raw',
    signal,
  });
  const headers = new HeaderMap();
  headers.appendText(':status', String(answer.statusCode));
  const raw = answer.headers as unknown as readonly string[];
  for (let i = 0; i + 1 < raw.length; i += 2) headers.appendText(raw[i], raw[i + 1]);
  const body = await collect(answer.body);
  const trailers = new HeaderMap();
  for (const [name, value] of Object.entries(answer.trailers)) {
    for (const text of [value].flat()) trailers.appendText(name, text);
  }
  return new CallAnswer({ headers, body, trailers });
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limits.filterCallBodyBytes.value) throw new Error('reader failure');
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

/** Kong's filters read the reason from the pseudo-header `:dispatch_status`. */
function failed(code: number, reason: string): CallAnswer {
  const headers = new HeaderMap();
  headers.appendText(':dispatch_status', reason);
  return new CallAnswer({ headers, code, text: reason });
}

function reasonOf(error: unknown): string {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  if (/TIMEOUT|TIMEDOUT/.test(code)) return 'timeout';
  if (/ENOTFOUND|EAI_/.test(code)) return 'resolver failure';
  if (/CERT|TLS|SSL/.test(code)) return 'tls handshake failure';
  return message === 'reader failure' ? message : 'broken connection';
}
