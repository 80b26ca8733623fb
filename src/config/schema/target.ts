/** The schema of a target: an address or a name behind an upstream, and its share of requests. */
import { tags, uuid } from './common.js';
import { unwrap } from './env-text.js';
import type { NumberField, RecordSchema } from './field.js';
import { splitTarget } from './target-address.js';

const timestamp: NumberField = {
  type: 'number',
  description: 'Epoch seconds with milliseconds; set at load if absent.',
};

export const targetSchema: RecordSchema = {
  fields: {
    id: { ...uuid, description: 'UUID; made from upstream and target if absent.' },
    created_at: timestamp,
    updated_at: timestamp,
    upstream: {
      type: 'foreign',
      reference: 'upstreams',
      description: 'Left out where the target is nested in it.',
    },
    target: {
      type: 'string',
      required: true,
      check: (value) =>
        splitTarget(value)
          ? undefined
          : `Invalid target ('${value}'); not a valid hostname or ip address`,
      description: 'Name or address with its port; without one it is 8000.',
    },
    weight: {
      type: 'integer',
      between: [0, 65535],
      default: 100,
      null_is_default: true,
      description: 'Share of the requests, beside the weights of the others; 0: none.',
    },
    tags,
  },
  prepare: (input) => {
    const given = unwrap(input.target);
    const split = typeof given === 'string' ? splitTarget(given) : null;
    return split ? { ...input, target: split.text } : { ...input };
  },
};
