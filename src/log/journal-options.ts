/** The settings of a queue's journal: their schema, defaults, and where its files lie. */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { leafFault } from '../config/schema/leaf.js';
import type { Fields } from '../plugin/schema.js';

/** As they stand beside the other queue parameters. */
export interface JournalSettings {
  /** Folder for journals; each queue has one of its own in it. Null: no journal. */
  readonly journal: string | null;
  readonly journal_fsync: 'always' | 'interval' | 'never';
  /** Bytes on disk. Above it entries are kept in memory only. */
  readonly journal_max_bytes: number;
  /** A full queue goes on on disk instead of dropping its oldest entry. */
  readonly journal_spill: boolean;
}

export const journalDefaults: JournalSettings = {
  journal: null,
  journal_fsync: 'interval',
  journal_max_bytes: 1024 * 1024 * 1024,
  journal_spill: false,
};

/** Fields of the `queue` record that Kong does not have. */
export const journalFields = {
  journal: {
    type: 'string',
    description: 'Folder where entries are kept over a crash; without it they are in memory only.',
  },
  journal_fsync: {
    type: 'string',
    one_of: ['always', 'interval', 'never'],
    description: 'When the disk is waited for: after each write, once a second (default), never.',
  },
  journal_max_bytes: {
    type: 'integer',
    between: [65_536, Number.MAX_SAFE_INTEGER],
    description: 'Bytes on disk, default 1 GiB; above it entries are kept in memory only.',
  },
  journal_spill: {
    type: 'boolean',
    description: 'A full queue goes on on disk instead of dropping its oldest entry.',
  },
} as const satisfies Fields;

/** The given settings, defaults for the others; null counts as not given. */
export function readJournalSettings(
  given: Readonly<{ [K in keyof JournalSettings]?: unknown }>,
): JournalSettings {
  const settings: Record<string, unknown> = { ...journalDefaults };
  for (const name of Object.keys(journalDefaults) as (keyof JournalSettings)[]) {
    settings[name] = given[name] ?? journalDefaults[name];
  }
  return settings as unknown as JournalSettings;
}

/** What is wrong with the first bad setting; null: nothing. */
export function journalProblem(given: Readonly<Record<string, unknown>>): string | null {
  for (const [name, field] of Object.entries(journalFields)) {
    const value = given[name];
    const fault = value === undefined || value === null ? null : leafFault(field, value, value);
    if (fault) return `${name}: ${fault}`;
  }
  const isUnlimited = given.concurrency_limit === -1;
  return given.journal && isUnlimited ? 'journal: not together with concurrency_limit -1' : null;
}

/** The folder of one queue. Names may hold secrets and any character: only their hash shows. */
export function journalFolder(folder: string, name: string, worker = 0): string {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 24);
  return join(resolve(folder), worker === 0 ? hash : `${hash}-${worker}`);
}
