/** The schema of a consumer: somebody who calls, known by a name or an id of another system. */
import { entityFields } from './common.js';
import type { RecordSchema } from './field.js';

export const consumerSchema: RecordSchema = {
  fields: {
    ...entityFields,
    username: { type: 'string', description: 'Unique name; what plugins refer to.' },
    custom_id: { type: 'string', description: 'Unique id that another system gave.' },
  },
  at_least_one_of: ['custom_id', 'username'],
};
