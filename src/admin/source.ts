/** What the Admin API shows and does; the gateway implements it. */
import type { KongError } from '../config/kong-error.js';
import type { Snapshot } from '../config/model.js';
import type { HealthChange, UpstreamHealth } from '../upstream/health.js';
import type { SchemaSource } from './schemas.js';

export interface PluginFacts {
  readonly name: string;
  readonly version: string;
  readonly priority: number;
}

/** Outcome of `POST /config`: applied, or refused without any change. */
export type ApplyOutcome =
  | { readonly ok: true; readonly snapshot: Snapshot }
  | { readonly ok: false; readonly error: (flatten: boolean) => KongError };

export interface AdminSource {
  readonly version: string;
  readonly nodeId: string;
  /** Null: ready; else why not. */
  notReady(): string | null;
  /** `GET /status/ready` answers 503 from here on; traffic goes on. */
  failReadiness(): void;
  snapshot(): Snapshot;
  /** Text of the configuration in use. */
  configText(): string;
  /** Loads, swaps, and resolves after the swap. */
  apply(text: string, format: 'json' | 'yaml'): Promise<ApplyOutcome>;
  /** Fields of `GET /status` beside `configuration_hash`. */
  status(): Promise<Record<string, unknown>>;
  /** Prometheus text. */
  metrics(): Promise<string>;
  /** The health of all upstreams. */
  upstreams(): Promise<readonly UpstreamHealth[]>;
  /** Sets the health of addresses; false: there are none such. */
  setHealth(change: HealthChange): Promise<boolean>;
  plugins(): readonly PluginFacts[];
  schemas(): SchemaSource;
  /** Names and values of the node's settings, without secrets. */
  settings(): Record<string, unknown>;
}
