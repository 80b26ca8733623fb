/**
 * The one table of errors: stable code, which side caused it, HTTP status where a client sees it,
 * when a retry is allowed, log level. `GatewayError` is the only class thrown by this project.
 */

export type ErrorSide = 'config' | 'downstream' | 'upstream' | 'plugin' | 'internal';
export type RetryRule = 'never' | 'always' | 'if-idempotent' | 'if-connection-was-reused';

interface ErrorRow {
  readonly side: ErrorSide;
  readonly status: number | null;
  readonly retry: RetryRule;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
}

const row = (
  side: ErrorSide,
  status: number | null,
  level: ErrorRow['level'] = 'error',
  retry: RetryRule = 'never',
): ErrorRow => ({ side, status, retry, level });

export const errorTable = {
  GW_E_CONFIG_INVALID: row('config', 400),
  GW_E_CONFIG_PARSE: row('config', 400),
  GW_E_CONFIG_READ: row('config', null),
  GW_E_CONFIG_LIMIT: row('config', 400),
  GW_E_SETTING_UNKNOWN: row('config', null),
  GW_E_SETTING_VALUE: row('config', null),
  GW_E_LISTEN: row('config', null),
  GW_E_DRIVER: row('config', null),
  GW_E_PLUGIN_UNKNOWN: row('config', 400),
  GW_E_PLUGIN_DEFINITION: row('plugin', null),
  GW_E_PLUGIN_PHASE: row('plugin', 500),
  GW_E_PLUGIN_FAILED: row('plugin', 500),
  GW_E_FILTER_MODULE: row('config', 400),
  GW_E_FILTER_CONFIG: row('config', 400),
  GW_E_FILTER_TRAP: row('plugin', 500),
  GW_E_REPLY_TOO_LARGE: row('plugin', 500),
  GW_E_BODY_TOO_LARGE: row('downstream', 413, 'info'),
  GW_E_ANSWER_TOO_LARGE: row('upstream', 500),
  GW_E_CLIENT_GONE: row('downstream', null, 'debug'),
  GW_E_LAYOUT_MISMATCH: row('internal', null),
  GW_E_CORE_TRAP: row('internal', 500),
  GW_E_CORE_COMMAND: row('internal', null),
  GW_E_STATE: row('internal', null),
  GW_E_QUEUE_ARGUMENT: row('internal', null),
  GW_E_QUEUE_JOURNAL: row('config', 400),
  GW_E_QUEUE_CLOSED: row('internal', null, 'warn'),
  GW_E_SUBMIT: row('upstream', null, 'warn', 'always'),
  GW_E_ADMIN_BODY: row('downstream', 400, 'info'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

/** An error with a stable `code` of the table above; `details` holds no secrets. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly side: ErrorSide;
  /** HTTP status to answer with, null where no client is involved. */
  readonly status: number | null;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; details?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.side = errorTable[code].side;
    this.status = errorTable[code].status;
    this.details = options?.details;
  }
}
