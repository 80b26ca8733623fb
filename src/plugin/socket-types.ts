/** What plugins see of a WebSocket: frames, its two ends, and what it came to. */

/** A message, put together from its fragments, or a control frame (RFC 6455 5). */
export interface WebSocketFrame {
  readonly type: 'text' | 'binary' | 'ping' | 'pong' | 'close';
  /** The payload; of a close frame its reason. */
  readonly data: Uint8Array;
  /** Of a close frame that has one; null elsewhere. */
  readonly status: number | null;
}

/** One end of a WebSocket. A misuse of phase or value closes the WebSocket with 1011. */
export interface SocketPeer {
  /** The frame of this end that is being handled, as plugins before have left it. */
  readonly frame: WebSocketFrame;
  /** Puts another payload into the frame: UTF-8 in text and close frames. */
  setFrameData(data: Uint8Array | string): void;
  /** Another status for a close frame (RFC 6455 7.4). */
  setStatus(status: number): void;
  /** The frame goes no further, nor do later plugins see it. Not for close frames. */
  dropFrame(): void;
  /**
   * Sends close frames to both ends instead of passing the frame on; later plugins do not see it.
   * Default: 1000 without a reason, and the same for the other end.
   */
  close(status?: number, reason?: string, peerStatus?: number, peerReason?: string): void;
  /**
   * Bytes of a message that this end may send, up to 33,554,432; 0: the default, which is 1,048,576
   * for clients and 16,777,216 for upstreams. Only in `ws_handshake`.
   */
  setMaxPayloadSize(bytes: number): void;
}

export interface SocketPeers {
  readonly client: SocketPeer;
  readonly upstream: SocketPeer;
}

/** What one end has sent. */
export interface SocketCounts {
  /** Messages and control frames, close frames left out. */
  readonly messages: number;
  /** Of their payloads. */
  readonly bytes: number;
  /** Of its close frame; null: there was none, or it had no status. */
  readonly status: number | null;
}

export interface SocketSession {
  readonly durationMs: number;
  readonly client: SocketCounts;
  readonly upstream: SocketCounts;
}
