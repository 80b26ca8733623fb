/** What the drivers that bind real addresses share: stale socket files, and errors in words. */
import { lookup } from 'node:dns/promises';
import { unlink } from 'node:fs/promises';
import net from 'node:net';
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { GatewayError } from '../errors.js';
import type { ListenSpec } from './contract.js';

/**
 * Binds with `bind`, which is given a numeric host or a socket path and returns an errno where it
 * fails; a socket file that nobody listens on is replaced.
 */
export async function bindOrReplace<T extends object>(
  spec: ListenSpec,
  bind: (host: string) => T | number,
): Promise<T | number> {
  const { host, unix } = spec;
  if (!unix && net.isIP(host) === 0) {
    const found = await lookup(host).catch((cause) => {
      throw asListenError(spec, cause);
    });
    return bind(found.address);
  }
  const result = bind(host);
  if (!unix || result !== constants.errno.EADDRINUSE || (await socketAnswers(host))) return result;
  await unlink(host).catch(() => {});
  return bind(host);
}

/** True where somebody listens on a socket path; a killed process leaves a file without. */
export function socketAnswers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

/** GW_E_LISTEN for the error, or the errno, of a bind that failed. */
export function asListenError(spec: ListenSpec, cause: unknown): GatewayError {
  const { code, message } =
    typeof cause === 'number'
      ? { code: getSystemErrorName(-cause), message: '' }
      : (cause as NodeJS.ErrnoException);
  const text = `cannot listen on ${describeListen(spec)}: ${code ?? message}`;
  return new GatewayError('GW_E_LISTEN', text, { cause });
}

export function describeListen(spec: ListenSpec): string {
  if (spec.unix) return `unix:${spec.host}`;
  return net.isIPv6(spec.host) ? `[${spec.host}]:${spec.port}` : `${spec.host}:${spec.port}`;
}
