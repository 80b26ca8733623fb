/** `headgate/queue`: Kong's queue without a gateway. */
export {
  type CreateQueueOptions,
  createQueue,
  type HandlerContext,
  type PublicQueue as Queue,
  type QueueLogger,
} from './log/create-queue.js';
export { type QueueParameters, queueDefaults } from './log/params.js';
export type { QueueClock } from './log/queue-clock.js';
export type { DrainResult } from './log/queue-manager.js';
export type { QueueMetrics } from './log/queue-metrics.js';
