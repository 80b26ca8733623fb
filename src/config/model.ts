/**
 * The normalised, immutable configuration that `load` produces and everything else reads: defaults
 * filled in, references resolved to objects, Kong's snake_case kept for entity fields because
 * users, logs and the Admin API see them.
 */

import type { Target, Upstream } from './upstream-model.js';

export type { HashInput, Target, Upstream } from './upstream-model.js';

export type Protocol =
  | 'http'
  | 'https'
  | 'grpc'
  | 'grpcs'
  | 'tcp'
  | 'tls'
  | 'tls_passthrough'
  | 'udp'
  | 'ws'
  | 'wss';

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
  readonly client_certificate: Certificate | null;
  readonly enabled: boolean;
}

export interface Certificate extends EntityBase {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly cert_alt: string | null;
  readonly key_alt: string | null;
}

export interface Sni extends EntityBase {
  readonly name: string;
  readonly certificate: Certificate;
}

export interface CaCertificate extends EntityBase {
  readonly cert: string;
  /** SHA-256, lower-case hex. */
  readonly cert_digest: string;
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

/** A name that several consumers share; plugins may be attached to it. */
export interface ConsumerGroup extends EntityBase {
  readonly name: string;
}

interface CredentialBase extends Omit<EntityBase, 'updated_at'> {
  readonly consumer: Consumer;
}

export interface KeyAuthCredential extends CredentialBase {
  readonly key: string;
  /** Seconds after `created_at`; null or 0: for ever. */
  readonly ttl: number | null;
}

export interface BasicAuthCredential extends CredentialBase {
  readonly username: string;
  /** SHA-1 of the password followed by the consumer's id, in lower-case hex. */
  readonly password: string;
}

export interface HmacAuthCredential extends CredentialBase {
  readonly username: string;
  readonly secret: string;
}

export interface JwtSecret extends CredentialBase {
  readonly key: string;
  readonly secret: string;
  /** PEM; for every algorithm but HS*. */
  readonly rsa_public_key: string | null;
  readonly algorithm: string;
}

export interface AclEntry extends CredentialBase {
  readonly group: string;
}

export interface OAuth2Credential extends CredentialBase {
  readonly name: string;
  readonly client_id: string;
  /** As given, or a hash where `hash_secret` is true; see secret-hash.ts. */
  readonly client_secret: string | null;
  readonly hash_secret: boolean;
  readonly redirect_uris: readonly string[] | null;
  readonly client_type: 'confidential' | 'public';
}

export interface OAuth2Token extends Omit<EntityBase, 'updated_at'> {
  readonly credential: OAuth2Credential;
  readonly service: Service | null;
  readonly token_type: 'bearer';
  readonly access_token: string;
  readonly refresh_token: string | null;
  /** Seconds after `created_at`; 0: for ever. */
  readonly expires_in: number;
  readonly authenticated_userid: string | null;
  readonly scope: string | null;
  readonly ttl: number | null;
}

/** A code of the authorization endpoint that the configuration brings along. */
export interface OAuth2Code extends Omit<EntityBase, 'updated_at'> {
  readonly credential: OAuth2Credential;
  readonly service: Service | null;
  readonly plugin: PluginEntity | null;
  readonly code: string;
  readonly authenticated_userid: string | null;
  readonly scope: string | null;
  readonly challenge: string | null;
  readonly challenge_method: 'S256' | null;
  readonly ttl: number | null;
}

/** What stands behind the collections of credentials and of what belongs to them. */
export interface CredentialOf {
  readonly keyauth_credentials: KeyAuthCredential;
  readonly basicauth_credentials: BasicAuthCredential;
  readonly hmacauth_credentials: HmacAuthCredential;
  readonly jwt_secrets: JwtSecret;
  readonly acls: AclEntry;
  readonly oauth2_credentials: OAuth2Credential;
  readonly oauth2_tokens: OAuth2Token;
  readonly oauth2_authorization_codes: OAuth2Code;
}

export type CredentialCollection = keyof CredentialOf;

/** What authenticated a client: one of the above, or what a plugin knows by other means. */
export interface Credential {
  readonly id: string | null;
  readonly [field: string]: unknown;
}

interface GroupMembership {
  readonly consumer: Consumer;
  readonly consumer_group: ConsumerGroup;
}

/** When plugins run beside others in a phase, by Kong's name of the phase: names of plugins. */
export interface PluginOrdering {
  readonly before: Readonly<Record<string, readonly string[]>> | null;
  readonly after: Readonly<Record<string, readonly string[]>> | null;
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
  readonly consumer_group?: ConsumerGroup | null;
  readonly ordering?: PluginOrdering | null;
  /** An expression of the router's language; null: the plugin always runs. */
  readonly condition?: string | null;
}

/** Filters in order, for all requests of one service or one route. */
export interface FilterChainEntity extends EntityBase {
  readonly name: string | null;
  readonly enabled: boolean;
  /** One of the two is set. */
  readonly service: Service | null;
  readonly route: Route | null;
  readonly filters: readonly FilterChainEntry[];
}

export interface FilterChainEntry {
  readonly name: string;
  readonly enabled: boolean;
  /** As the filter's schema has it; without a schema text or null. */
  readonly config: unknown;
}

export interface Snapshot {
  readonly certificates: readonly Certificate[];
  readonly snis: readonly Sni[];
  readonly caCertificates: readonly CaCertificate[];
  readonly upstreams: readonly Upstream[];
  readonly targets: readonly Target[];
  readonly services: readonly Service[];
  readonly routes: readonly Route[];
  readonly consumers: readonly Consumer[];
  readonly plugins: readonly PluginEntity[];
  readonly filterChains: readonly FilterChainEntity[];
  readonly consumerGroups: readonly ConsumerGroup[];
  readonly memberships: readonly GroupMembership[];
  readonly credentials: { readonly [C in CredentialCollection]: readonly CredentialOf[C][] };
  /** MD5 of the source text in lower-case hex, 32 zeros for the empty configuration. */
  readonly hash: string;
  /** Every entity as plain JSON by collection and id: what `POST /config` answers. */
  readonly entities: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
