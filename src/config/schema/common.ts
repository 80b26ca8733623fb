/** Fields that several entities and plugins share. */
import type { ArrayField, Fields, NumberField, StringField } from './field.js';

export const allProtocols = [
  'grpc',
  'grpcs',
  'http',
  'https',
  'tcp',
  'tls',
  'tls_passthrough',
  'udp',
] as const;

/**
 * WebSockets whose frames plugins see. Texts and descriptions do not name them, because they are
 * those of Kong's open edition, which lacks these two.
 */
export const webSocketProtocols = ['ws', 'wss'] as const;

export const uuid: StringField = { type: 'string', format: 'uuid' };
export const port: NumberField = { type: 'integer', between: [0, 65535] };
export const uniqueName: StringField = { type: 'string', format: 'name' };

export const tags: ArrayField = {
  type: 'set',
  elements: { type: 'string', format: 'tag' },
  description: 'Labels to select entities by.',
};

const timestamp: NumberField = {
  type: 'integer',
  check: (value) => (value > 0 ? undefined : 'expected a valid timestamp'),
  description: 'Epoch seconds; set at load if absent.',
};

/** What every entity has. */
export const entityFields = {
  id: { ...uuid, description: 'UUID; made from the name if absent, the same at each load.' },
  created_at: timestamp,
  updated_at: timestamp,
  tags,
} as const satisfies Fields;

export const protocolElement: StringField = {
  type: 'string',
  one_of: allProtocols,
  also: webSocketProtocols,
};
