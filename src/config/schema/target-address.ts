/** The text of a target: `name`, `name:port`, an address, `[v6]:port`. */
import { isIP } from 'node:net';
import { formatFault } from './formats.js';

export interface TargetPlace {
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** `host:port`, IPv6 addresses in brackets: the form that is kept and shown. */
  readonly text: string;
}

/** Kong's. */
const defaultPort = 8000;

/** The parts of a target, null where it is none. */
export function splitTarget(value: string): TargetPlace | null {
  const bare = isIP(value) === 6;
  const parts = bare ? [value, value] : /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(value);
  if (!parts) return null;
  const host = parts[1].replace(/^\[|\]$/g, '');
  const port = parts[2] === undefined ? defaultPort : Number(parts[2]);
  if (port > 65535 || formatFault('host', bare ? value : parts[1]) !== undefined) return null;
  return { host, port, text: placeText(host, port) };
}

/** `host:port`, IPv6 addresses in brackets. */
export function placeText(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
