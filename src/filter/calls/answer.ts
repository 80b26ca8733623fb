/** The answer to a call of a filter, readable while the callback that brings it runs. */
import { BufferType, GrpcStatus, MapType } from '../abi.js';
import { HeaderMap } from '../header-map.js';

const none = new HeaderMap();
const noBytes = new Uint8Array(0);

export interface CallParts {
  readonly headers?: HeaderMap;
  readonly body?: Uint8Array;
  readonly trailers?: HeaderMap;
  /** gRPC: buffer 5. */
  readonly message?: Uint8Array;
  /** What proxy_get_status tells. */
  readonly code?: number;
  readonly text?: string;
  readonly grpc?: boolean;
}

export class CallAnswer {
  readonly code: number;
  readonly text: string;
  readonly #parts: CallParts;

  constructor(parts: CallParts) {
    this.#parts = parts;
    this.code = parts.code ?? GrpcStatus.OK;
    this.text = parts.text ?? '';
  }

  get headerCount(): number {
    return this.code === GrpcStatus.OK ? (this.#parts.headers?.count ?? 0) : 0;
  }

  get trailerCount(): number {
    return this.#parts.trailers?.count ?? 0;
  }

  get bodySize(): number {
    return this.#parts.body?.length ?? 0;
  }

  /** Maps 4 to 7; those that the answer does not have are empty, others null. */
  map(type: number): HeaderMap | null {
    const { grpc = false, headers = none, trailers = none } = this.#parts;
    if (type === MapType.GRPC_INITIAL_METADATA) return grpc ? headers : null;
    if (type === MapType.GRPC_TRAILING_METADATA) return grpc ? trailers : null;
    if (grpc) return null;
    return type === MapType.CALL_RESPONSE_HEADERS ? headers : trailers;
  }

  /** Buffers 4 and 5. */
  body(type: number): Uint8Array | null {
    const { grpc = false, body = noBytes, message = noBytes } = this.#parts;
    if (type === BufferType.GRPC_MESSAGE) return grpc ? message : null;
    return grpc ? null : body;
  }
}
