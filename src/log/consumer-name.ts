/** How metrics name the consumer of a request. */
import type { LogEntry } from '../plugin/log-types.js';

export const consumerIdentifiers = ['consumer_id', 'custom_id', 'username'] as const;
export type ConsumerIdentifier = (typeof consumerIdentifiers)[number];

interface ConsumerParts {
  readonly id?: string;
  readonly custom_id?: string | null;
  readonly username?: string | null;
}

/** The identifier of the record's consumer; null where there is no consumer or it has none. */
export function consumerName(entry: LogEntry, by: string | null): string | null {
  const consumer = entry.consumer as ConsumerParts | undefined;
  if (!consumer) return null;
  const { id, username, custom_id: customId } = consumer;
  return (by === 'consumer_id' ? id : by === 'username' ? username : customId) || null;
}
