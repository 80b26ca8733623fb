/** A user's plugin: reads one header and sets one, without waiting. */
import { definePlugin } from '../../../dist/plugin/index.js';

export default definePlugin({
  name: 'user-sync',
  version: '1.0.0',
  priority: 1000,
  schema: { fields: {} },
  access(ctx) {
    ctx.service.request.setHeader('X-Tenant', ctx.request.header('host') ?? 'none');
  },
});
