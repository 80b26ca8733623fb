/**
 * Connects over bare handles: addresses at once, names through the resolver, their addresses one
 * after the other. One that has not answered within limits.connectAttemptMs is given up where there
 * is another (RFC 8305 5 overlaps them; that would hold two handles for one connection).
 */
import { isIPv6 } from 'node:net';
import { ErrorCause } from '../../core/layout.js';
import { limits } from '../../limits.js';
import type { Clock } from '../../time.js';
import type { TargetAddress } from '../contract.js';
import { NameResolver } from '../resolver.js';
import type { BareConnection } from './connection.js';
import type { BareBindings } from './handles.js';

type Resolver = Pick<NameResolver, 'resolve'>;

export class BareDialer {
  readonly #bindings: BareBindings;
  readonly #clock: Clock;
  readonly #resolver: Resolver;

  constructor(bindings: BareBindings, clock: Clock, resolver: Resolver = new NameResolver(clock)) {
    this.#bindings = bindings;
    this.#clock = clock;
    this.#resolver = resolver;
  }

  /** Connects to a target without TLS; the connection's owner hears how it went. */
  dial(connection: BareConnection, { host, port }: TargetAddress): void {
    if (host.startsWith('unix:')) {
      this.#toPath(connection, host.slice(5));
      return;
    }
    this.#resolver.resolve(host, (addresses) => {
      this.#toNext(connection, [...addresses], port, ErrorCause.RESOLVE);
    });
  }

  #toPath(connection: BareConnection, path: string): void {
    const { makePipe, PipeConnect } = this.#bindings;
    const handle = makePipe();
    const request = new PipeConnect();
    // Undefined on the Node versions where a path cannot fail at once.
    const start = () => handle.connect(request, path) ?? 0;
    connection.attempt(handle, request, start, { tcp: false, retry: null });
  }

  /** To the next address, or the failure of the last one. */
  #toNext(connection: BareConnection, rest: string[], port: number, cause: number): void {
    const address = rest.shift();
    if (connection.closed) return;
    if (address === undefined) {
      connection.fail(cause);
      return;
    }
    const { makeTcp, TcpConnect } = this.#bindings;
    const handle = makeTcp();
    handle.setNoDelay(true);
    const request = new TcpConnect();
    const start = () =>
      isIPv6(address)
        ? handle.connect6(request, address, port)
        : handle.connect(request, address, port);
    if (rest.length === 0) {
      connection.attempt(handle, request, start, { tcp: true, retry: null });
      return;
    }
    const timer = this.#clock.setTimeout(() => {
      connection.giveUp(handle, ErrorCause.TIMEOUT);
    }, limits.connectAttemptMs.value);
    const retry = (failure: number): void => {
      this.#clock.clearTimeout(timer);
      this.#toNext(connection, rest, port, failure);
    };
    connection.attempt(handle, request, start, { tcp: true, retry });
  }
}
