/** Where the name of an upstream leads that is an address itself. */
import type { CallTarget } from './client.js';

const hostPort = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;
const portMax = 65535;

/** `host`, `host:port`, `http://host:port`, `https://...`, `unix:/path`; null for anything else. */
export function directTarget(upstream: string): CallTarget | null {
  if (upstream.startsWith('unix:/')) {
    const socketPath = upstream.slice('unix:'.length);
    return { origin: 'http://localhost', authority: 'localhost', socketPath };
  }
  const scheme = /^https?(?=:\/\/)/.exec(upstream)?.[0];
  const rest = scheme === undefined ? upstream : upstream.slice(scheme.length + 3);
  const match = hostPort.exec(rest.replace(/\/$/, ''));
  if (!match || Number(match[2] ?? 80) > portMax) return null;
  const authority = match[2] === undefined ? match[1] : `${match[1]}:${match[2]}`;
  return { origin: `${scheme ?? 'http'}://${authority}`, authority };
}
