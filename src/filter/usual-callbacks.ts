/**
 * The callbacks of every exchange, by number: finding one by its name costs more than calling it.
 * Those for the parts of a message have the number of their moment.
 */
import type { CallbackName } from './abi.js';

export const Usual = { CREATE: 8, DONE: 9, LOG: 10, DELETE: 11 } as const;

/** By number; null: none has it. */
export const usualNames: readonly (CallbackName | null)[] = [
  null,
  'proxy_on_request_headers',
  'proxy_on_request_body',
  'proxy_on_request_trailers',
  'proxy_on_response_headers',
  'proxy_on_response_body',
  'proxy_on_response_trailers',
  null,
  'proxy_on_context_create',
  'proxy_on_done',
  'proxy_on_log',
  'proxy_on_delete',
];
