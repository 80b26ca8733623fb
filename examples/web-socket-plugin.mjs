/**
 * A plugin for WebSockets: large messages are refused, numbers of payment cards hidden, and what a
 * connection came to is logged. Load it with `plugins = bundled,./examples/web-socket-plugin.mjs`
 * and attach it to a service with the protocol `ws` or `wss`.
 */
import { definePlugin } from 'headgate/plugin';

const decoder = new TextDecoder();
const card = /\b\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}\b/g;

export default definePlugin({
  name: 'card-guard',
  version: '1.0.0',
  priority: 700,
  schema: { fields: { max_bytes: { type: 'integer', default: 65536, between: [1, 1048576] } } },
  wsHandshake(ctx) {
    ctx.websocket.client.setMaxPayloadSize(ctx.config.max_bytes);
  },
  wsUpstreamFrame(_ctx, frame) {
    if (frame.type !== 'text') return;
    const text = decoder.decode(frame.data).replace(card, '****');
    return { ...frame, data: Buffer.from(text) };
  },
  wsClose(ctx) {
    const { client, upstream, durationMs } = ctx.session;
    const counts = `${client.messages} up, ${upstream.messages} down`;
    ctx.log.info(`${counts}, ${Math.round(durationMs)} ms, ${client.status ?? 'no status'}`);
  },
});
