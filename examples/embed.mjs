/**
 * Headgate inside a Node program: one service, one plugin of our own, a reload at run time.
 * Run it after `npm run build` with `node examples/embed.mjs`.
 */
import { createServer } from 'node:http';
import { createGateway, definePlugin } from 'headgate';

const upstream = createServer((request, response) => {
  response.end(`${request.method} ${request.url} for ${request.headers['x-visitor']}\n`);
});
await new Promise((resolve) => {
  upstream.listen(0, '127.0.0.1', resolve);
});

/** Names the visitor to the upstream, and turns away who is not named. */
const visitor = definePlugin({
  name: 'visitor',
  version: '1.0.0',
  priority: 1000,
  schema: { fields: { argument: { type: 'string', default: 'name' } } },
  access(ctx) {
    const name = ctx.request.query(ctx.config.argument);
    if (name === null) ctx.response.exit(401, { message: 'Who are you?' });
    else ctx.service.request.setHeader('x-visitor', name);
  },
  headerFilter(ctx) {
    ctx.response.setHeader('x-answered-by', 'headgate');
  },
});

const configFor = (path) => ({
  _format_version: '3.0',
  services: [
    {
      name: 'hello',
      url: `http://127.0.0.1:${upstream.address().port}`,
      routes: [{ name: 'hello', paths: [path], plugins: [{ name: 'visitor' }] }],
    },
  ],
});

const gateway = createGateway({
  config: configFor('/hello'),
  plugins: [visitor],
  settings: { proxy_listen: '127.0.0.1:0', admin_listen: 'off', log_level: 'warn' },
});
await gateway.start();

const [{ port }] = gateway.addresses;
const show = async (path) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  console.log(path, response.status, (await response.text()).trim());
};

await show('/hello?name=ada');
await show('/hello');
await gateway.reload(configFor('/welcome'));
await show('/welcome?name=ada');
await show('/hello?name=ada');

await gateway.drain();
upstream.close();
