/** What an error of the operating system is to the core. */
import { getSystemErrorName } from 'node:util';
import { ErrorCause } from '../core/layout.js';

/** `code` as node names it, such as ECONNRESET; an ErrorCause. */
export function causeOfCode(code: string | undefined): number {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return ErrorCause.REFUSED;
    case 'ECONNRESET':
    case 'EPIPE':
      return ErrorCause.RESET;
    case 'ETIMEDOUT':
      return ErrorCause.TIMEOUT;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
      return ErrorCause.RESOLVE;
    default:
      return ErrorCause.OTHER;
  }
}

/** The same for a number below 0, as handles report it. */
export function causeOfStatus(status: number): number {
  return causeOfCode(getSystemErrorName(status));
}
