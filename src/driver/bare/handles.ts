/**
 * Node's own TCP and pipe handles, which `net.Socket` is built on, without the socket around them.
 * They are no public API: nothing here is used before `bare/check.ts` has tried it in this process.
 */

/** A handle; `onread` is called for bytes, the end and errors, and must return nothing. */
export interface BareHandle {
  onread: () => void;
  readonly writeQueueSize: number;
  /** Reads go to the start of this view from here on. */
  useUserBuffer(view: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  /** These answer with 0 or an error below 0; `streamState` says whether it went at once. */
  writeLatin1String(request: BareRequest, data: string): number;
  writeBuffer(request: BareRequest, data: Uint8Array): number;
  /** 1: it is shut down already, and the request reports nothing. */
  shutdown(request: BareRequest): number;
  close(): void;
  /** The others are TCP's only. */
  connect(request: BareRequest, address: string, port?: number): number;
  connect6(request: BareRequest, address: string, port: number): number;
  reset(): number;
  setNoDelay(on: boolean): number;
  getpeername(into: BareAddress): number;
  getsockname(into: BareAddress): number;
}

export interface BareAddress {
  address?: string;
  family?: string;
  port?: number;
}

/** A write, shutdown or connect under way; the handle's side holds on to it until it reports. */
export interface BareRequest {
  oncomplete?: (this: BareRequest, status: number) => void;
  connection?: unknown;
  /** What is being written: kept from the collector. */
  data?: unknown;
}

type Made<T> = new (kind?: number) => T;

/** The constructors, and the words in which reads and writes report. */
export interface BareBindings {
  readonly makeTcp: () => BareHandle;
  readonly makePipe: () => BareHandle;
  readonly TcpConnect: Made<BareRequest>;
  readonly PipeConnect: Made<BareRequest>;
  readonly Write: Made<BareRequest>;
  readonly Shutdown: Made<BareRequest>;
  /** Shared by all handles of a thread: of the call that has just been made. */
  readonly streamState: Int32Array;
  /** Index in `streamState`: bytes read, or an error below 0. */
  readonly readAt: number;
  /** Index in `streamState`: 0 where the kernel took all of a write. */
  readonly asyncAt: number;
}

/**
 * The handles of this Node.
 * @throws Error where something that is needed is missing; its message says what
 */
export function loadBareBindings(): BareBindings {
  const stream = binding('stream_wrap');
  const tcp = binding('tcp_wrap');
  const pipe = binding('pipe_wrap');
  const Tcp = made<BareHandle>(tcp, 'TCP');
  const Pipe = made<BareHandle>(pipe, 'Pipe');
  const { streamBaseState } = stream;
  if (!(streamBaseState instanceof Int32Array)) throw new Error('no streamBaseState');
  const tcpKind = constant(tcp, 'SOCKET');
  const pipeKind = constant(pipe, 'SOCKET');
  const common = ['useUserBuffer', 'readStart', 'readStop', 'shutdown', 'close', 'connect'];
  const writing = ['writeLatin1String', 'writeBuffer'];
  const own = ['connect6', 'reset', 'setNoDelay', 'getpeername', 'getsockname'];
  needMethods(Tcp, [...common, ...writing, ...own]);
  needMethods(Pipe, [...common, ...writing]);
  return {
    makeTcp: () => new Tcp(tcpKind),
    makePipe: () => new Pipe(pipeKind),
    TcpConnect: made(tcp, 'TCPConnectWrap'),
    PipeConnect: made(pipe, 'PipeConnectWrap'),
    Write: made(stream, 'WriteWrap'),
    Shutdown: made(stream, 'ShutdownWrap'),
    streamState: streamBaseState,
    readAt: index(stream, 'kReadBytesOrError', streamBaseState),
    asyncAt: index(stream, 'kLastWriteWasAsync', streamBaseState),
  };
}

type Binding = Readonly<Record<string, unknown>>;

function binding(name: string): Binding {
  const { binding: find } = process as unknown as { binding?: (name: string) => Binding };
  if (typeof find !== 'function') throw new Error('no process.binding');
  try {
    return find.call(process, name);
  } catch (error) {
    throw new Error(`${name} is refused (${(error as NodeJS.ErrnoException).code})`);
  }
}

function made<T>(from: Binding, name: string): Made<T> {
  if (typeof from[name] !== 'function') throw new Error(`no ${name}`);
  return from[name] as Made<T>;
}

function constant(from: Binding, name: string): number {
  const value = (from.constants as Binding | undefined)?.[name];
  if (typeof value !== 'number') throw new Error(`no constant ${name}`);
  return value;
}

function index(from: Binding, name: string, state: Int32Array): number {
  const value = from[name];
  if (typeof value !== 'number' || value >= state.length) throw new Error(`no ${name}`);
  return value;
}

function needMethods(of: Made<BareHandle>, names: readonly string[]): void {
  for (const name of names) {
    if (typeof of.prototype[name] !== 'function') throw new Error(`no ${of.name}.${name}`);
  }
}
