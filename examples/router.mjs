/**
 * The router by itself: routes in, matches out, without a gateway around it.
 * Run it after `npm run build` with `node examples/router.mjs`.
 */
import { createRouter } from 'headgate/router';

const router = createRouter({
  config: {
    _format_version: '3.0',
    services: [
      {
        name: 'shop',
        url: 'http://shop.internal/v2',
        routes: [
          { name: 'orders', paths: ['~/orders/(?<id>\\d+)'], methods: ['GET'] },
          { name: 'everything', paths: ['/'] },
        ],
      },
    ],
  },
});

for (const path of ['/orders/42/items?all', '/about']) {
  const match = router.match({ path, host: 'shop.example' });
  const id = match.captures?.id ?? '-';
  console.log(`${path} -> ${match.route.name} ${id} ${match.upstreamHost}${match.upstreamPath}`);
}
