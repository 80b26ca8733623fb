/** Log lines of one filter: level, bounded length, control characters made visible. */
import { limits } from '../limits.js';
import type { Logger } from '../observe/logger.js';
import { type FilterLogLevel, logLevels } from './abi.js';
import type { FilterServices } from './services.js';

type Method = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const methods: readonly Method[] = ['debug', 'debug', 'info', 'warn', 'error', 'fatal'];

export class FilterLog {
  readonly #logger: Logger;
  /** Number of the least level that is logged. */
  readonly level: number;

  constructor(services: FilterServices, filter: string) {
    this.#logger = services.logger.child({ filter });
    this.level = logLevels.indexOf(services.logLevel);
  }

  /** False: the message need not even be read. */
  wants(level: number): boolean {
    return level >= this.level;
  }

  write(level: number, text: string): void {
    if (!this.wants(level)) return;
    this.#logger[methods[level]]({}, visible(text));
  }

  /** One entry for each call, a line break at the end left out (WASI `fd_write`). */
  writeStream(descriptor: number, text: string): void {
    const level = descriptor === 1 ? levelOf('info') : levelOf('error');
    const line = text.replace(/\r?\n$/, '');
    if (line !== '') this.write(level, line);
  }

  report(fields: object, message: string): void {
    this.#logger.error(fields, message);
  }
}

const levelOf = (name: FilterLogLevel): number => logLevels.indexOf(name);

/** Escapes control characters, so that a message stays one line of a terminal. */
export function visible(text: string): string {
  const max = limits.filterLogBytes.value;
  const cut = text.length > max ? `${text.slice(0, max)}...` : text;
  return cut.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, (char) => {
    const code = char.charCodeAt(0).toString(16).padStart(2, '0');
    return char === '\n' ? '\\n' : `\\x${code}`;
  });
}
