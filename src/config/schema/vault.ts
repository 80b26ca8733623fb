/** The schema of a vault: a prefix that references use for a source of secrets. */
import { entityFields } from './common.js';
import type { RecordSchema } from './field.js';

export const vaultSchema: RecordSchema = {
  fields: {
    ...entityFields,
    prefix: {
      type: 'string',
      required: true,
      match: '[a-z][a-z0-9-]*[a-z0-9]',
      not_one_of: ['env'],
      description: 'What stands first in references: {vault://prefix/name}.',
    },
    name: {
      type: 'string',
      required: true,
      one_of: ['env'],
      description: 'The kind of vault.',
    },
    description: { type: 'string' },
    config: {
      type: 'record',
      fields: {
        prefix: {
          type: 'string',
          description: 'Put before the name of the variable, such as SECRET_.',
        },
      },
    },
  },
};
