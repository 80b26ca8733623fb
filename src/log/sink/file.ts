/**
 * Appends lines to files, for every user of a path through one descriptor. A file may be moved
 * away at any time: what is written before `reopen` goes to the old name's file, the rest to a new
 * one, and no line to neither.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { GatewayError } from '../../errors.js';

interface OpenFile {
  file: FileHandle | null;
  /** Close before the next write. */
  stale: boolean;
  /** The last write; writes of a path run one after the other. */
  last: Promise<void>;
}

export class FileSink {
  readonly #files = new Map<string, OpenFile>();

  /**
   * Appends `text` in one go. The file is made with mode 0644 where it does not exist.
   * @param reopen closes the file and opens it again before the write
   * @throws GatewayError GW_E_SUBMIT with the reason
   */
  append(path: string, text: string, reopen = false): Promise<void> {
    let known = this.#files.get(path);
    if (!known) {
      known = { file: null, stale: false, last: Promise.resolve() };
      this.#files.set(path, known);
    }
    if (reopen) known.stale = true;
    const opened = known;
    const write = opened.last.then(() => this.#write(path, opened, text));
    opened.last = write.catch(() => {});
    return write;
  }

  /** Every file is opened again before its next write, and those of the past closed. */
  async reopen(): Promise<void> {
    const files = [...this.#files.values()];
    for (const known of files) known.last = known.last.then(() => closeFile(known));
    await Promise.all(files.map(({ last }) => last));
  }

  /** Closes every file behind its last write. The sink can be used again. */
  async close(): Promise<void> {
    await this.reopen();
    this.#files.clear();
  }

  async #write(path: string, known: OpenFile, text: string): Promise<void> {
    try {
      if (known.stale) await closeFile(known);
      known.file ??= await open(path, 'a', 0o644);
      await known.file.appendFile(text);
    } catch (cause) {
      await closeFile(known);
      const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
      throw new GatewayError('GW_E_SUBMIT', `failed to write to the file '${path}': ${reason}`, {
        cause,
      });
    }
  }
}

async function closeFile(known: OpenFile): Promise<void> {
  const { file } = known;
  known.file = null;
  known.stale = false;
  await file?.close().catch(() => {});
}
