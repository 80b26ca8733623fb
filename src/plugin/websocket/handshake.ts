/** What must be right about a request on a route for WebSockets (RFC 6455 4.2.1). */
import { EditOp } from '../../core/layout.js';
import type { Exchange } from '../exchange.js';
import { errorReply } from '../reply.js';

/**
 * Looks at the request before its plugins do. False: it is no handshake, and has its answer. No
 * extension is offered where plugins look at frames: they would have to understand it.
 */
export function beginHandshake(exchange: Exchange): boolean {
  const fault = handshakeFault(exchange);
  if (fault === null) {
    if (exchange.plan?.webSocket?.decodes) {
      exchange.upstreamEdits.push(EditOp.REMOVE, 'Sec-WebSocket-Extensions', '');
    }
    return true;
  }
  const { id } = exchange.request;
  exchange.reply = errorReply(400, fault, id, exchange.request.header('accept'));
  exchange.state.source = 'exit';
  return false;
}

function handshakeFault({ request, view }: Exchange): string | null {
  if (request.method !== 'GET') return 'invalid request method';
  if (view.minorVersion === 0) return 'invalid request version';
  if (view.contentLength !== 0) return 'unexpected request body';
  const fields = new Map<string, string[]>();
  view.eachHeader('request', (name, value) => {
    const known = fields.get(name);
    if (known) known.push(value);
    else fields.set(name, [value]);
  });
  const lone = (name: string) => {
    const values = fields.get(name);
    return values?.length === 1 ? values[0] : '';
  };
  const options = (fields.get('connection') ?? [])
    .join()
    .toLowerCase()
    .split(/[\t ]*,[\t ]*/);
  const missing = (name: string) => `invalid/missing '${name}' header`;
  if (!options.includes('upgrade')) return missing('Connection');
  if (lone('upgrade').toLowerCase() !== 'websocket') return missing('Upgrade');
  if (!/^[+/\dA-Za-z]{22}==$/.test(lone('sec-websocket-key'))) return missing('Sec-WebSocket-Key');
  return lone('sec-websocket-version') === '13' ? null : missing('Sec-WebSocket-Version');
}
