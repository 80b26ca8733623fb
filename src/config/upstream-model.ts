/** Upstreams and targets of the normalised configuration, see model.ts. */
import type { Certificate, EntityBase } from './model.js';

/** Targets under one name; a service whose host is the name uses them. */
export interface Upstream extends EntityBase {
  readonly name: string;
  readonly algorithm: 'round-robin' | 'consistent-hashing' | 'least-connections' | 'latency';
  readonly hash_on: HashInput;
  readonly hash_fallback: HashInput;
  readonly hash_on_header: string | null;
  readonly hash_fallback_header: string | null;
  readonly hash_on_cookie: string | null;
  readonly hash_on_cookie_path: string;
  readonly hash_on_query_arg: string | null;
  readonly hash_fallback_query_arg: string | null;
  readonly hash_on_uri_capture: string | null;
  readonly hash_fallback_uri_capture: string | null;
  readonly slots: number;
  readonly healthchecks: HealthChecks;
  readonly host_header: string | null;
  readonly client_certificate: Certificate | null;
  readonly use_srv_name: boolean;
}

export type HashInput =
  | 'none'
  | 'consumer'
  | 'ip'
  | 'header'
  | 'cookie'
  | 'path'
  | 'query_arg'
  | 'uri_capture';

export interface HealthChecks {
  /** Per cent. */
  readonly threshold: number;
  readonly active: {
    readonly type: HealthCheckType;
    /** Seconds, as the intervals. */
    readonly timeout: number;
    readonly concurrency: number;
    readonly http_path: string;
    readonly https_sni: string | null;
    readonly https_verify_certificate: boolean;
    readonly headers: Readonly<Record<string, readonly string[]>> | null;
    readonly healthy: HealthyLimits & { readonly interval: number };
    readonly unhealthy: UnhealthyLimits & { readonly interval: number };
  };
  readonly passive: {
    readonly type: HealthCheckType;
    readonly healthy: HealthyLimits;
    readonly unhealthy: UnhealthyLimits;
  };
}

export type HealthCheckType = 'tcp' | 'http' | 'https' | 'grpc' | 'grpcs';

export interface HealthyLimits {
  readonly http_statuses: readonly number[];
  /** In a row, as the other limits; 0: off. */
  readonly successes: number;
}

export interface UnhealthyLimits {
  readonly http_statuses: readonly number[];
  readonly tcp_failures: number;
  readonly timeouts: number;
  readonly http_failures: number;
}

export interface Target extends EntityBase {
  readonly upstream: Upstream;
  /** `host:port`. */
  readonly target: string;
  readonly weight: number;
}
