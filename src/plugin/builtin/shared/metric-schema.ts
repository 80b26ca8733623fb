/** What the schemas of statsd and datadog share. */
import type { EntityCheck } from '../../../config/schema/entity-check.js';

/** Of a metric: what is counted may be sampled, so it says how. */
export const sampleRateNeeded: EntityCheck = {
  conditional: {
    if_field: 'stat_type',
    if_match: { one_of: ['counter', 'gauge'] },
    then_field: 'sample_rate',
    then_match: { required: true },
  },
};
