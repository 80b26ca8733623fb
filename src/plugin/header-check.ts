/** Guards against header fields that would change the structure of a message (RFC 9110 5.5). */
import { GatewayError } from '../errors.js';

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Names that were found good: plugins have few of them and use them all the time. */
const goodNames = new Set<string>();
const goodNamesMax = 1024;

/**
 * Returns the value to send (blanks around it removed).
 * @throws GatewayError GW_E_PLUGIN_FAILED for a name that is no token, for control characters and
 * for characters that do not fit into one byte
 */
export function checkHeader(name: string, value: string): string {
  if (!goodNames.has(name)) checkName(name);
  const text = String(value);
  const { length } = text;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 32 && code !== 9) || code > 255 || code === 127) {
      const message = `the value of header ${name} has bad characters`;
      throw new GatewayError('GW_E_PLUGIN_FAILED', message);
    }
  }
  if (length === 0) return text;
  const ends = isBlank(text.charCodeAt(0)) || isBlank(text.charCodeAt(length - 1));
  return ends ? text.trim() : text;
}

/** Whether `trim` may find something; of what it removes only these are good in a value. */
const isBlank = (code: number): boolean => code === 32 || code === 9 || code === 0xa0;

function checkName(name: string): void {
  if (typeof name !== 'string' || !token.test(name)) {
    throw new GatewayError('GW_E_PLUGIN_FAILED', `${JSON.stringify(name)} is not a header name`);
  }
  // Names that come from requests must not push those of plugins out.
  if (goodNames.size < goodNamesMax && name.length <= 64) goodNames.add(name);
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
