/** The same as user-sync, in an async function that awaits. */
import { definePlugin } from '../../../dist/plugin/index.js';

export default definePlugin({
  name: 'user-async',
  version: '1.0.0',
  priority: 1000,
  schema: { fields: {} },
  async access(ctx) {
    const tenant = await Promise.resolve(ctx.request.header('host'));
    ctx.service.request.setHeader('X-Tenant', tenant ?? 'none');
  },
});
