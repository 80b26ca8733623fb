/**
 * Named forms of strings, with Kong's error texts. Each returns the fault of a value, or undefined.
 */

import { isIP } from 'node:net';
import { patternProblem } from '../../core/regex/compile.js';
import { normalizePath } from './path.js';

type FormatCheck = (value: string) => string | undefined;

const labels =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i;
const pathCharacters = /^[-A-Za-z0-9._~:/?#[\]@!$&'()*+,;=%]*$/;

export const formats = {
  url,
  header_name: headerName,
  host: (value) => hostFault(value, false),
  host_with_optional_port: (value) => hostFault(value, true),
  host_pattern: hostPattern,
  sni: sniFault,
  path: pathFault,
  router_path: routerPath,
  uuid: (value) =>
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value) ? undefined : 'expected a valid UUID',
  name: (value) =>
    /^[A-Za-z0-9.\-_~\u0080-\u{10ffff}]+$/u.test(value)
      ? undefined
      : `invalid value '${value}': the only accepted ascii characters are alphanumerics ` +
        'or ., -, _, and ~',
  tag: (value) =>
    /^[^,/\u0000-\u001f\u007f]+$/.test(value)
      ? undefined
      : `invalid tag '${value}': expected printable ascii (except \`,\` and \`/\`) ` +
        'or valid utf-8 sequences',
  ip_or_cidr: (value) => (isIpOrCidr(value) ? undefined : `invalid ip or cidr range: '${value}'`),
} as const satisfies Record<string, FormatCheck>;

export type Format = keyof typeof formats;

/** The fault of a value in a named form, undefined where there is none. */
export const formatFault = (format: Format, value: string): string | undefined =>
  formats[format](value);

function url(value: string): string | undefined {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(value);
  if (!match) return 'missing scheme in url';
  if (match[2].replace(/^[^@]*@/, '').replace(/:\d*$/, '') === '') return 'missing host in url';
  return URL.canParse(value) ? undefined : `invalid url: '${value}'`;
}

function headerName(value: string): string | undefined {
  if (/^[A-Za-z0-9_-]+$/.test(value)) return undefined;
  return `bad header name '${value}', allowed characters are A-Z, a-z, 0-9, '_', and '-'`;
}

function isIpOrCidr(value: string): boolean {
  const slash = value.indexOf('/');
  const family = isIP(slash < 0 ? value : value.slice(0, slash));
  if (family === 0) return false;
  if (slash < 0) return true;
  const bits = value.slice(slash + 1);
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

/** Splits `host`, `host:port`, `[v6]`, `[v6]:port`, bare IPv6; the port is null where absent. */
function splitPort(value: string): [host: string, port: string | null] {
  const bracket = /^\[([^\]]*)\](?::(.*))?$/.exec(value);
  if (bracket) return [bracket[1], bracket[2] ?? null];
  const colon = value.indexOf(':');
  if (colon < 0 || value.includes(':', colon + 1)) return [value, null];
  return [value.slice(0, colon), value.slice(colon + 1)];
}

function hostFault(value: string, portAllowed: boolean): string | undefined {
  const [host, port] = splitPort(value);
  if (port !== null) {
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) return `invalid value: ${value}`;
    if (!portAllowed) return 'must not have a port';
  }
  if (host.includes(':') || value.startsWith('[')) {
    return isIP(host) === 6 ? undefined : `invalid ipv6 address: ${value}`;
  }
  if (/^\d+(\.\d+){3}$/.test(host)) {
    return isIP(host) === 4 ? undefined : `invalid ipv4 address: ${value}`;
  }
  return labels.test(host) ? undefined : `invalid hostname: ${value}`;
}

function wildcardFault(value: string): string | undefined {
  const star = value.indexOf('*');
  if (star < 0) return undefined;
  if (value.includes('*', star + 1)) return 'invalid wildcard: must have at most one wildcard';
  if (value.startsWith('*.') || value.endsWith('.*')) return undefined;
  return 'invalid wildcard: must be placed at leftmost or rightmost label';
}

/** A word in the place of the wildcard makes it a host name, or not. */
function wildcardHostFault(value: string, portAllowed: boolean): string | undefined {
  const filled = value.replace('*', 'abc');
  return hostFault(filled, portAllowed)?.replace(filled, () => value);
}

function hostPattern(value: string): string | undefined {
  return wildcardFault(value) ?? wildcardHostFault(value, true);
}

function sniFault(value: string): string | undefined {
  if (isIP(value.replace(/^\[|\]$/g, ''))) return 'must not be an IP';
  return wildcardFault(value) ?? wildcardHostFault(value, false);
}

function pathFault(value: string): string | undefined {
  if (!value.startsWith('/')) return 'should start with: /';
  if (value.includes('//')) return 'must not have empty segments';
  if (!pathCharacters.test(value)) {
    return `invalid path: '${value}' (characters outside of the reserved list of RFC 3986 found)`;
  }
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(value);
  return bad ? `invalid url-encoded value: '${bad[0]}'` : undefined;
}

function routerPath(value: string): string | undefined {
  if (!/^~?\//.test(value)) return 'should start with: / (fixed path) or ~/ (regexed path)';
  if (value.includes('//')) return 'must not have empty segments';
  if (value.startsWith('~')) {
    const fault = patternProblem(value.slice(1));
    return fault === undefined ? undefined : `invalid regex: '${value.slice(1)}' (${fault})`;
  }
  const bad = pathCharacters.test(value) ? /%(?![0-9a-fA-F]{2}).{0,2}/.exec(value) : null;
  if (bad) return `invalid url-encoded value: '${bad[0]}'`;
  const normal = normalizePath(value);
  // Normalising leaves high octets encoded only where they are no UTF-8, which matches nothing.
  if (/%[89a-f][0-9a-f]/i.test(normal)) return `invalid utf-8 in path: '${value}'`;
  return normal === value ? undefined : `non-normalized path, consider use '${normal}' instead`;
}
