/** The schema of a workspace. There is one, as in Kong without a database. */
import { entityFields } from './common.js';
import type { RecordSchema } from './field.js';

export const workspaceSchema: RecordSchema = {
  fields: {
    ...entityFields,
    name: {
      type: 'string',
      required: true,
      one_of: ['default'],
      description: 'There is only `default`.',
    },
    comment: { type: 'string' },
    meta: { type: 'any' },
    config: { type: 'any' },
  },
};
