/** Who the client of a request is, as the members that its log record has at its end. */
import { clientMembers, type RequestNotes } from './notes.js';

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
export function clientText(notes: RequestNotes | undefined): Uint8Array | null {
  if (!notes) return nothing;
  if (notes.values.length > 0) return null;
  const { consumer, credential } = notes;
  const key = credential ?? consumer;
  if (!key) return nothing;
  let entry = known.get(key);
  if (!entry || entry.consumer !== consumer) {
    entry = { consumer, text: textOf(notes) };
    known.set(key, entry);
  }
  return entry.text;
}

function textOf(notes: RequestNotes): Uint8Array {
  return Buffer.from(`,${JSON.stringify(clientMembers(notes)).slice(1, -1)}`);
}
