/** The queue of log plugins that Kong has no queue for: a batch is tried once, then lost. */
import type { QueueParameters } from '../plugin/log-types.js';
import { queueDefaults } from './params.js';

/** Entries of a tenth of a second go together; what fails is logged, counted and not repeated. */
export const oneAttempt: QueueParameters = {
  ...queueDefaults,
  max_batch_size: 500,
  max_coalescing_delay: 0.1,
  max_retry_time: -1,
};
