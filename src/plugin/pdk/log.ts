/** A plugin's lines in the gateway's log; those of a request carry its id. */
import { GatewayError } from '../../errors.js';
import { requestNotes } from '../../log/notes.js';
import type { ValueMode } from '../../log/record-value.js';
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

  setSerializeValue(path: string, value: unknown, mode?: ValueMode): void {
    if (this.#requestId === null) {
      throw new GatewayError('GW_E_PLUGIN_FAILED', 'setSerializeValue: there is no request');
    }
    requestNotes.setValue(this.#requestId, path, value, mode);
  }

  #with(fields?: object): object {
    return this.#requestId === null ? { ...fields } : { ...fields, request_id: this.#requestId };
  }
}
