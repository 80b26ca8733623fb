/**
 * Finds the native driver's addon: the one that `npm run build:native` made, else the prebuilt one
 * of the package. It is optional everywhere: where none fits, the reason is given and the `net`
 * driver serves.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { layoutHash } from '../core/layout.js';

/** What the engine asks of the shell. None of these may throw. */
export interface NativeHost {
  /** A connection to this target is wanted: answer with `connect` or `refuse`, now or later. */
  resolve(id: number, target: number): void;
  /** The address that was tried failed with an ErrorCause: another `connect`, or `refuse`. */
  connectFailed(id: number, cause: number): void;
  /** First bytes of a connection of a proxy_protocol listener. */
  proxyHeader(id: number, bytes: Buffer): void;
  badCommand(what: string, type: number, connection: number, a: number, b: number): void;
  /** `process` threw. */
  trapped(cause: unknown): void;
  /** Call `tick` once, a timer tick from now. */
  armTick(): void;
}

export interface NativeEngineOptions {
  /** The whole memory of the core. */
  readonly memory: Uint8Array;
  readonly process: (eventCount: number) => number;
  readonly host: NativeHost;
  /** Start and end of each range that may be sent, one behind the other. */
  readonly sendable: readonly number[];
  readonly headRoomBytes: number;
  readonly readBytes: number;
  /** What to add to the monotonic clock of the machine; null: `process` writes the clock itself. */
  readonly clockOffsetMs: number | null;
}

/** One epoll set in this thread's event loop. Its functions never throw. */
export interface NativeEngine {
  readonly busy: boolean;
  /** Connections that the core has closed and that still send, or linger. */
  readonly closingCount: number;
  /** Index, bound address and port, or the errno of a failure. */
  listen(
    isUnix: boolean,
    host: string,
    port: number,
    backlog: number,
    reuseport: boolean,
    proxyProtocol: boolean,
  ): [index: number, address: string, port: number] | number;
  showPort(listener: number, port: number): void;
  stopListening(): void;
  /** Hands one event over alone, or after the batch that is running. */
  post(event: number, connection: number, a: number, b: number): void;
  /** 0, or the ErrorCause of a failure at once. */
  connect(id: number, host: string, port: number, isUnix: boolean): number;
  refuse(id: number, cause: number): void;
  /** Accepts a connection whose header has this many bytes; no addresses: those of the socket. */
  announce(
    id: number,
    headerBytes: number,
    peerHost?: string,
    peerPort?: number,
    localHost?: string,
    localPort?: number,
  ): void;
  rejectHeader(id: number): void;
  tick(): void;
  close(): void;
}

export interface NativeAddon {
  readonly layoutHash: number;
  readonly Engine: new (options: NativeEngineOptions) => NativeEngine;
}

export type Loaded = { readonly addon: NativeAddon } | { readonly reason: string };

let loaded: Loaded | undefined;

/** The addon, or in a few words why there is none. Looked for once per process. */
export function loadNative(): Loaded {
  loaded ??= load();
  return loaded;
}

function load(): Loaded {
  if (process.platform !== 'linux') return { reason: 'it is for Linux' };
  const folder = process.env.HEADGATE_NATIVE_DIR;
  const places = folder
    ? [new URL(`file://${folder}/headgate.node`)]
    : ['build/native', `prebuilds/${process.platform}-${process.arch}`].map(
        (place) => new URL(`../../${place}/headgate.node`, import.meta.url),
      );
  const path = places.map((place) => fileURLToPath(place)).find((place) => existsSync(place));
  if (path === undefined) return { reason: 'it is not built (npm run build:native)' };
  let addon: NativeAddon;
  try {
    addon = createRequire(import.meta.url)(path) as NativeAddon;
  } catch (error) {
    return { reason: `it does not load: ${(error as Error).message}` };
  }
  if (addon.layoutHash === layoutHash) return { addon };
  return { reason: 'it was built from other sources (npm run build:native)' };
}
