/**
 * A queue without a gateway: entries go in one at a time, batches come out, and a receiver that is
 * away for a moment costs nothing. `node examples/queue.mjs`
 */
import { createQueue } from 'headgate/queue';

let attempts = 0;

const queue = createQueue({
  name: 'measurements',
  max_batch_size: 3,
  max_coalescing_delay: 0.2,
  initial_retry_delay: 0.05,
  handler(entries) {
    attempts++;
    if (attempts === 1) return [false, 'the receiver is away'];
    console.log(`${entries.length} delivered: ${entries.join(' ')}`);
    return true;
  },
  logger: { warn: (_fields, message) => console.log(`warning: ${message}`) },
});

for (let i = 1; i <= 7; i++) queue.enqueue(`m${i}`);
console.log(`${queue.size} wait`);

const { delivered, lost } = await queue.drain(5);
console.log(`drained: ${delivered} delivered, ${lost} lost`);
