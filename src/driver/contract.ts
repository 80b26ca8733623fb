/**
 * What a driver is: it moves bytes between sockets and the core's memory, and nothing else. It
 * turns socket happenings into event records, calls `process`, and carries out the command records.
 * It decides nothing about HTTP. Ids: downstream connections are numbered by the driver from 0 to
 * limits.downstreamConnections - 1, upstream ones by the core from there on; an id is
 * index | generation << 16, and an event for an id of an older generation is ignored by the core.
 */
import type { Core } from '../core/instance.js';
import type { Clock } from '../time.js';
import type { ServerContexts } from '../tls/server-contexts.js';
import type { UpstreamTls } from '../tls/upstream.js';

/** One address of `proxy_listen`. */
export interface ListenSpec {
  /** IP address, or path of a Unix socket. */
  readonly host: string;
  /** 0: any free port. Ignored for Unix sockets. */
  readonly port: number;
  readonly unix: boolean;
  readonly ssl: boolean;
  readonly http2: boolean;
  readonly proxyProtocol: boolean;
  readonly reuseport: boolean;
  /** Connections waiting to be accepted; default 16384. */
  readonly backlog: number;
}

export interface BoundListener {
  readonly spec: ListenSpec;
  /** Address that was really bound (port filled in), or the socket path. */
  readonly address: string;
  readonly port: number;
}

/** Where an interned target lives; `host` is a name, an address, or `unix:` and a socket path. */
export interface TargetAddress {
  readonly host: string;
  readonly port: number;
  /** Absent: in the clear. */
  readonly tls?: UpstreamTls;
}

export interface DriverOptions {
  readonly core: Core;
  readonly clock: Clock;
  /** Address of a target index that a CONNECT command names. */
  readonly target: (index: number) => TargetAddress | undefined;
  /** `port_maps`: listener port to the port that clients see. */
  readonly portMaps?: ReadonlyMap<number, number>;
  /** Certificates of the listeners with `ssl`; without it they are refused. */
  readonly serverContexts?: ServerContexts;
  /** Called when the core traps or asks for something out of range; the worker must be replaced. */
  readonly onFault: (error: Error) => void;
}

export type MakeDriver = (options: DriverOptions) => Driver;

export interface Driver {
  readonly name: 'net' | 'native' | 'sim';
  listen(spec: ListenSpec): Promise<BoundListener>;
  /** Stops accepting; established connections live on. */
  stopListening(): Promise<void>;
  /** Hands one event to the core, now or after the batch that is running. */
  post(event: number, connection: number, a: number, b: number): void;
  /** Connections that the core has closed and that still send what they hold, or linger. */
  readonly closingCount: number;
  /** Resets every connection and stops the tick. Idempotent. */
  close(): Promise<void>;
}
