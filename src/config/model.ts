/**
 * The normalised, immutable configuration that `load` produces and everything else reads: defaults
 * filled in, references resolved to objects, Kong's snake_case kept for entity fields because
 * users, logs and the Admin API see them.
 */

export type Protocol =
  | 'http'
  | 'https'
  | 'grpc'
  | 'grpcs'
  | 'tcp'
  | 'tls'
  | 'tls_passthrough'
  | 'udp';

export interface EntityBase {
  readonly id: string;
  readonly tags: readonly string[] | null;
  /** Epoch seconds. */
  readonly created_at: number;
  readonly updated_at: number;
}

export interface Service extends EntityBase {
  readonly name: string | null;
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
  readonly retries: number;
  /** Milliseconds, like the next two. */
  readonly connect_timeout: number;
  readonly write_timeout: number;
  readonly read_timeout: number;
  readonly tls_verify: boolean | null;
  readonly tls_verify_depth: number | null;
  readonly ca_certificates: readonly string[] | null;
  readonly enabled: boolean;
}

export interface Route extends EntityBase {
  readonly name: string | null;
  readonly protocols: readonly Protocol[];
  readonly https_redirect_status_code: 426 | 301 | 302 | 307 | 308;
  readonly strip_path: boolean;
  readonly preserve_host: boolean;
  readonly request_buffering: boolean;
  readonly response_buffering: boolean;
  readonly regex_priority: number;
  readonly path_handling: 'v0' | 'v1';
  readonly methods: readonly string[] | null;
  readonly hosts: readonly string[] | null;
  readonly paths: readonly string[] | null;
  readonly headers: Readonly<Record<string, readonly string[]>> | null;
  readonly snis: readonly string[] | null;
  readonly sources: readonly IpPort[] | null;
  readonly destinations: readonly IpPort[] | null;
  readonly expression: string | null;
  readonly priority: number;
  readonly service: Service | null;
}

export interface IpPort {
  readonly ip?: string | null;
  readonly port?: number | null;
}

export interface Consumer extends EntityBase {
  readonly username: string | null;
  readonly custom_id: string | null;
}

export interface PluginEntity extends EntityBase {
  readonly name: string;
  readonly instance_name: string | null;
  readonly enabled: boolean;
  readonly protocols: readonly Protocol[];
  /** Validated by the plugin's schema, defaults filled in. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly service: Service | null;
  readonly route: Route | null;
  readonly consumer: Consumer | null;
}

export interface Snapshot {
  readonly services: readonly Service[];
  readonly routes: readonly Route[];
  readonly consumers: readonly Consumer[];
  readonly plugins: readonly PluginEntity[];
  /** MD5 of the source text in lower-case hex, 32 zeros for the empty configuration. */
  readonly hash: string;
  /** Every entity as plain JSON by collection and id: what `POST /config` answers. */
  readonly entities: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
