/** Guards against header fields that would change the structure of a message (RFC 9110 5.5). */
import { GatewayError } from '../errors.js';

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const unsafe = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Returns the value to send (blanks around it removed).
 * @throws GatewayError GW_E_PLUGIN_FAILED for a name that is no token, for control characters and
 * for characters that do not fit into one byte
 */
export function checkHeader(name: string, value: string): string {
  if (typeof name !== 'string' || !token.test(name)) {
    throw new GatewayError('GW_E_PLUGIN_FAILED', `${JSON.stringify(name)} is not a header name`);
  }
  const text = String(value);
  if (unsafe.test(text)) {
    throw new GatewayError('GW_E_PLUGIN_FAILED', `the value of header ${name} has bad characters`);
  }
  return text.trim();
}

/** Fields that the gateway writes itself; a plugin's answer cannot set them. */
export const reservedFields: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-connection',
  'server',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);
