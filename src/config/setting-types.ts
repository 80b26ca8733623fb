/**
 * How the text of a setting becomes a value. Each parser throws an Error that says what it expects.
 */
import { parseRange } from '../core/address.js';
import { ContentType, TrustedRange as Range, Region, TokenFlag } from '../core/layout.js';
import { nearest } from './nearest.js';
import type { TrustedRange } from './settings.js';

export interface SettingType<T> {
  /** Word for the documentation: `seconds`, `size`, `on or off`. */
  readonly unit: string;
  parse(text: string): T;
}

export function integer(min: number, max: number, unit = 'count'): SettingType<number> {
  return {
    unit,
    parse(text) {
      const value = Number(text);
      if (/^-?\d+$/.test(text) && value >= min && value <= max) return value;
      throw new Error(`expected an integer between ${min} and ${max}`);
    },
  };
}

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  '': 1000,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Seconds, with a fraction or a suffix ms, s, m, h, d; the value is milliseconds. */
export function seconds(minMs = 0): SettingType<number> {
  return {
    unit: 'seconds',
    parse(text) {
      const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|)$/.exec(text);
      const value = match ? Math.round(Number(match[1]) * unitMs[match[2]]) : Number.NaN;
      if (value >= minMs && value <= 0x7ffffffe) return value;
      throw new Error(`expected seconds (such as 60, 0.5 or 500ms), at least ${minMs / 1000}`);
    },
  };
}

/** Bytes, with an optional suffix k, m or g of powers of 1024. */
export const size: SettingType<number> = {
  unit: 'size',
  parse(text) {
    const match = /^(\d{1,12})([kmg]?)$/i.exec(text);
    if (!match) throw new Error('expected a size in bytes, such as 0, 8k, 10m or 1g');
    return Number(match[1]) * 1024 ** ['', 'k', 'm', 'g'].indexOf(match[2].toLowerCase());
  },
};

export const onOff: SettingType<boolean> = {
  unit: 'on or off',
  parse(text) {
    if (/^(on|true)$/i.test(text)) return true;
    if (/^(off|false)$/i.test(text)) return false;
    throw new Error('expected on or off');
  },
};

export function oneOf<const T extends string>(...values: readonly T[]): SettingType<T> {
  return {
    unit: values.join(', '),
    parse(text) {
      const found = values.find((value) => value === text.toLowerCase());
      if (found !== undefined) return found;
      const near = nearest(text, values);
      const hint = near === undefined ? '' : `; did you mean '${near}'?`;
      throw new Error(`expected one of: ${values.join(', ')}${hint}`);
    },
  };
}

export const text: SettingType<string> = { unit: 'text', parse: (value) => value };

/** The empty text is null. */
export const optionalText: SettingType<string | null> = {
  unit: 'text',
  parse: (value) => (value === '' ? null : value),
};

function items(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Comma-separated paths, or one text that holds PEM blocks. */
export const files: SettingType<readonly string[]> = {
  unit: 'files',
  parse(value) {
    const blocks = value.match(/-----BEGIN [^-]+-----[^]*?-----END [^-]+-----/g);
    return blocks ? [`${blocks.join('\n')}\n`] : items(value);
  },
};

const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** Versions of TLS, separated by spaces as nginx has it. */
export const tlsProtocols: SettingType<readonly string[]> = {
  unit: 'list',
  parse(value) {
    const found = value.split(/[\s,]+/).filter((item) => item !== '');
    const wrong = found.find((item) => !tlsVersions.includes(item));
    if (wrong === undefined && found.length > 0) return found;
    throw new Error(`expected some of: ${tlsVersions.join(' ')}`);
  },
};

/** Comma-separated names; `off` is the empty list. */
export const names: SettingType<readonly string[]> = {
  unit: 'list',
  parse: (value) => (value.trim() === 'off' ? [] : items(value)),
};

const allTokens: Readonly<Record<string, number>> = {
  server_tokens: TokenFlag.SERVER | TokenFlag.VIA,
  latency_tokens: TokenFlag.PROXY_LATENCY | TokenFlag.UPSTREAM_LATENCY | TokenFlag.RESPONSE_LATENCY,
  server: TokenFlag.SERVER,
  via: TokenFlag.VIA,
  'x-kong-proxy-latency': TokenFlag.PROXY_LATENCY,
  'x-kong-upstream-latency': TokenFlag.UPSTREAM_LATENCY,
  'x-kong-response-latency': TokenFlag.RESPONSE_LATENCY,
  'x-kong-admin-latency': 0,
  'x-kong-upstream-status': TokenFlag.UPSTREAM_STATUS,
  'x-kong-request-id': TokenFlag.REQUEST_ID,
};

function flagList(flags: Readonly<Record<string, number>>): SettingType<number> {
  const known = Object.keys(flags);
  return {
    unit: 'list',
    parse(value) {
      const given = items(value.toLowerCase());
      if (given.length === 1 && given[0] === 'off') return 0;
      let bits = 0;
      for (const name of given) {
        if (!known.includes(name)) throw new Error(unknownToken(name, known));
        bits |= flags[name];
      }
      return bits;
    },
  };
}

function unknownToken(name: string, known: readonly string[]): string {
  if (name === 'off') return "'off' stands alone";
  const near = nearest(name, known);
  const hint = near === undefined ? '' : `; did you mean '${near}'?`;
  return `unknown header '${name}', expected off or any of: ${known.join(', ')}${hint}`;
}

export const responseTokens = flagList(allTokens);
export const upstreamTokens = flagList({ 'x-kong-request-id': TokenFlag.UPSTREAM_REQUEST_ID });

export interface Trusted {
  readonly ranges: readonly TrustedRange[];
  readonly unix: boolean;
}

export const trusted: SettingType<Trusted> = {
  unit: 'list',
  parse(value) {
    const ranges: TrustedRange[] = [];
    let unix = false;
    for (const item of items(value)) {
      const range = parseRange(item);
      if (range) ranges.push(range);
      else if (item === 'unix:') unix = true;
      else throw new Error(`'${item}' is no IP address, CIDR range or 'unix:'`);
    }
    const most = Math.floor(Region.trusted.bytes / Range.size);
    if (ranges.length > most) throw new Error(`at most ${most} addresses and ranges`);
    return { ranges, unix };
  },
};

/** `outside:inside` pairs; the value maps the listener's port to the one that clients see. */
export const portMaps: SettingType<ReadonlyMap<number, number>> = {
  unit: 'list',
  parse(value) {
    const map = new Map<number, number>();
    for (const item of items(value)) {
      const match = /^(\d{1,5}):(\d{1,5})$/.exec(item);
      const [outside, inside] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
      if (outside < 1 || outside > 65535 || inside < 1 || inside > 65535) {
        throw new Error(`'${item}' is no outside:inside pair of ports from 1 to 65535`);
      }
      if (map.has(inside)) throw new Error(`port ${inside} is mapped twice`);
      map.set(inside, outside);
    }
    return map;
  },
};

/** Bytes of Settings.realIpHeader in the shared layout. */
const headerBytesMax = 64;

export const headerName: SettingType<string> = {
  unit: 'header name',
  parse(value) {
    const name = value.toLowerCase();
    if (name === 'proxy_protocol') throw new Error('proxy_protocol is not supported yet');
    if (/^[a-z0-9_-]+$/.test(name) && name.length <= headerBytesMax) return name;
    throw new Error(`expected a header name of at most ${headerBytesMax} characters`);
  },
};

const contentTypes: Readonly<Record<string, number>> = {
  'text/plain': ContentType.PLAIN,
  'application/json': ContentType.JSON,
  'text/html': ContentType.HTML,
  'application/xml': ContentType.XML,
};

export const contentType: SettingType<number> = {
  unit: Object.keys(contentTypes).join(', '),
  parse(value) {
    const code = contentTypes[value.toLowerCase()];
    if (code !== undefined) return code;
    throw new Error(`expected one of: ${Object.keys(contentTypes).join(', ')}`);
  },
};
