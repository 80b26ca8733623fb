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
  /** Text of WASI output whose line has not ended, and its descriptor. */
  #partial = '';
  #partialOf = 0;

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

  /**
   * WASI `fd_write`: one entry for each call that ends a line, its line break left out. Runtimes
   * that write a line word by word get one entry for it, at the end of the callback at the latest.
   */
  writeStream(descriptor: number, text: string): void {
    if (descriptor !== this.#partialOf) this.flush();
    this.#partialOf = descriptor;
    this.#partial += text;
    if (text.endsWith('\n') || this.#partial.length > limits.filterLogBytes.value) this.flush();
  }

  /** Logs output whose line has not ended. */
  flush(): void {
    if (this.#partial === '') return;
    const level = this.#partialOf === 1 ? levelOf('info') : levelOf('error');
    const line = this.#partial.replace(/\r?\n$/, '');
    this.#partial = '';
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
