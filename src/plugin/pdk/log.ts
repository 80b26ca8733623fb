/** A plugin's lines in the gateway's log; those of a request carry its id. */
import type { Logger } from '../../observe/logger.js';
import type { PluginLog } from '../pdk-types.js';

export class StepLog implements PluginLog {
  readonly #logger: Logger;
  readonly #requestId: string | null;

  constructor(logger: Logger, requestId: string | null) {
    this.#logger = logger;
    this.#requestId = requestId;
  }

  debug(message: string, fields?: object): void {
    this.#logger.debug(this.#with(fields), message);
  }

  info(message: string, fields?: object): void {
    this.#logger.info(this.#with(fields), message);
  }

  notice(message: string, fields?: object): void {
    this.#logger.info(this.#with(fields), message);
  }

  warn(message: string, fields?: object): void {
    this.#logger.warn(this.#with(fields), message);
  }

  error(message: string, fields?: object): void {
    this.#logger.error(this.#with(fields), message);
  }

  #with(fields?: object): object {
    return this.#requestId === null ? { ...fields } : { ...fields, request_id: this.#requestId };
  }
}
