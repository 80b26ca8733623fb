/**
 * Runs a Node proxy as its documentation says to for speed: node-proxy.mjs NAME PORT UPSTREAM, with
 * `features` behind them with keys and limits.
 */
import http from 'node:http';
import { keysAndLimits } from './plugins/elsewhere.mjs';

const [name, port, upstreamPort, features] = process.argv.slice(2);
const target = `http://127.0.0.1:${upstreamPort}`;
const address = { port: Number(port), host: '127.0.0.1', backlog: 4096 };

const proxies = {
  async 'http-proxy-3'() {
    const { createProxyServer } = await import('http-proxy-3');
    const agent = new http.Agent({ keepAlive: true, maxSockets: 512 });
    const proxy = createProxyServer({ target, agent });
    proxy.on('error', (_error, _request, response) => response.destroy?.());
    http.createServer((request, response) => proxy.web(request, response)).listen(address);
  },

  async 'fast-proxy'() {
    const { default: fastProxy } = await import('fast-proxy');
    const { proxy } = fastProxy({ base: target, undici: { connections: 64, pipelining: 1 } });
    http
      .createServer((request, response) => proxy(request, response, request.url, {}))
      .listen(address);
  },

  async 'fast-gateway'() {
    const { default: gateway } = await import('fast-gateway');
    const middlewares = features ? keysAndLimits() : [];
    const route = { prefix: '/bench', pathRegex: '', prefixRewrite: '/bench', target, middlewares };
    // It keeps its connections alive by itself.
    const server = gateway({ routes: [route] });
    await server.start(address.port, address.host);
  },

  async '@fastify/http-proxy'() {
    const { default: fastify } = await import('fastify');
    const { default: plugin } = await import('@fastify/http-proxy');
    const server = fastify({ logger: false });
    server.register(plugin, { upstream: target, undici: { connections: 64, pipelining: 1 } });
    await server.listen(address);
  },
};

await proxies[name]();
