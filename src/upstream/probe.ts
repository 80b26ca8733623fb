/** One active health check: a request to an address, or, for grpc, a connection. */
import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect, isIP } from 'node:net';
import { type ConnectionOptions, connect as secureConnect } from 'node:tls';
import type { Upstream } from '../config/model.js';
import { keyPairOf } from '../tls/snapshot-tls.js';

export interface Probe {
  readonly upstream: Upstream;
  readonly ip: string;
  readonly port: number;
  /** Name of the target. */
  readonly name: string;
  /** Authorities in PEM; empty: node's. */
  readonly trusted: readonly string[];
  readonly signal: AbortSignal;
}

/** The status of the answer; a connection that was made; what went wrong. */
export type ProbeOutcome = number | 'connected' | 'timeout' | 'failed';

const secondMs = 1000;

/** Sends a probe; never rejects. */
export function sendProbe(probe: Probe): Promise<ProbeOutcome> {
  const { type } = probe.upstream.healthchecks.active;
  return type === 'grpc' || type === 'grpcs' ? tryConnection(probe) : askHttp(probe);
}

function askHttp(probe: Probe): Promise<ProbeOutcome> {
  const { upstream, ip, port, name, signal } = probe;
  const { active } = upstream.healthchecks;
  const secure = active.type === 'https';
  const given = Object.fromEntries(
    Object.entries(active.headers ?? {}).map(([field, values]) => [field, [...values]]),
  );
  const options: RequestOptions = {
    host: ip,
    port,
    path: active.http_path,
    headers: { ...given, host: hostOf(upstream, name) },
    agent: false,
    signal,
  };
  return outcomeOf(probe, (settle) => {
    const request = secure
      ? secureRequest({ ...options, ...securityOf(probe) })
      : plainRequest(options);
    request.on('response', (response: IncomingMessage) => {
      settle(response.statusCode ?? 'failed');
    });
    request.on('error', () => settle('failed'));
    request.end();
    return () => request.destroy();
  });
}

function tryConnection(probe: Probe): Promise<ProbeOutcome> {
  const { ip: host, port } = probe;
  const secure = probe.upstream.healthchecks.active.type === 'grpcs';
  return outcomeOf(probe, (settle) => {
    const socket = secure
      ? secureConnect({ host, port, ...securityOf(probe), ALPNProtocols: ['h2'] })
      : connect({ host, port });
    socket.on(secure ? 'secureConnect' : 'connect', () => settle('connected'));
    socket.on('error', () => settle('failed'));
    return () => socket.destroy();
  });
}

/** The first outcome, or `timeout`; what was begun is given up then. */
function outcomeOf(
  { upstream, signal }: Probe,
  begin: (settle: (outcome: ProbeOutcome) => void) => () => void,
): Promise<ProbeOutcome> {
  const timeoutMs = upstream.healthchecks.active.timeout * secondMs;
  return new Promise((resolve) => {
    let end: () => void = () => {};
    const settle = (outcome: ProbeOutcome) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      resolve(outcome);
      end();
    };
    const abort = () => settle('failed');
    const timer = setTimeout(() => settle('timeout'), timeoutMs);
    timer.unref();
    signal.addEventListener('abort', abort);
    end = begin(settle);
  });
}

const hostOf = ({ host_header: given }: Upstream, name: string): string =>
  given ?? (isIP(name) === 6 ? `[${name}]` : name);

function securityOf({ upstream, name, trusted }: Probe): ConnectionOptions {
  const { https_sni: sni, https_verify_certificate: verify } = upstream.healthchecks.active;
  const servername = sni ?? name;
  const certificate = upstream.client_certificate;
  return {
    servername: isIP(servername) ? '' : servername,
    rejectUnauthorized: verify,
    ...(trusted.length > 0 && { ca: [...trusted] }),
    ...(certificate && keyPairOf(certificate)),
  };
}
