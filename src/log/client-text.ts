/** Who the client of a request is, as the members that its log record has at its end. */
import { clientMembers, type NotedClient, type RequestNotes } from './notes.js';

const nothing = new Uint8Array(0);

interface Known {
  readonly consumer: object | null;
  readonly text: Uint8Array;
}

/** By credential, where there is one: requests with the same one have the same text. */
const known = new WeakMap<object, Known>();

/**
 * `,"authenticated_entity":{..},"consumer":{..}` in UTF-8, as `withNotes` adds it; empty where
 * nothing is known of the client, null where other values were noted, too.
 */
export function notedText(notes: RequestNotes | undefined): Uint8Array | null {
  if (!notes) return nothing;
  return notes.values.length > 0 ? null : clientText(notes);
}

/** The same of a client alone. */
export function clientText(client: NotedClient): Uint8Array {
  const { consumer, credential } = client;
  const key = credential ?? consumer;
  if (!key) return nothing;
  let entry = known.get(key);
  if (!entry || entry.consumer !== consumer) {
    entry = { consumer, text: textOf(client) };
    known.set(key, entry);
  }
  return entry.text;
}

function textOf(client: NotedClient): Uint8Array {
  return Buffer.from(`,${JSON.stringify(clientMembers(client)).slice(1, -1)}`);
}
