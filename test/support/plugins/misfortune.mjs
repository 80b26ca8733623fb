/** Does to its worker what a header asks for; says which thread answered. */
import { threadId } from 'node:worker_threads';

export default {
  name: 'misfortune',
  version: '1.0.0',
  priority: 1000,
  schema: { fields: {} },
  access(ctx) {
    const what = ctx.request.header('x-misfortune');
    if (what === 'exit') process.exit(7);
    if (what === 'throw') setImmediate(() => nothing.here);
    if (what === 'hang') for (;;);
    ctx.response.setHeader('X-Thread', String(threadId));
  },
};
