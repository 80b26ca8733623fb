/** What the core writes about an exchange that ended, for the consumers of log rings. */
import type { Field } from './layout.js';

export const logStructs = {
  /** One access-log record in a ring; the raw request and response heads follow. */
  LogRecord: [
    ['u32', 'bytes', 'whole record'],
    ['u32', 'generation', ''],
    ['u32', 'route', 'index in that generation; routeCount: nothing matched'],
    ['u32', 'flags', 'logFlag bits'],
    ['u32', 'status', 'sent to the client; 499: it went away first; 0: no answer'],
    ['u32', 'upstreamStatus', '0: none'],
    ['u32', 'tries', ''],
    ['u32', 'target', 'interned target, 0xffffffff: none'],
    ['u32', 'peerPort', ''],
    ['u32', 'localPort', ''],
    ['u32', 'requestHeadBytes', 'raw head as received, directly after this struct'],
    ['u32', 'upstreamTargetBytes', 'then the upstream path and query'],
    ['u32', 'responseHeadBytes', 'then the head as sent to the client'],
    ['u32', 'requestMs', 'first request byte to last response byte'],
    ['u32', 'gatewayMs', 'first request byte to the choice of the upstream'],
    ['u32', 'upstreamMs', 'upstream chosen to its head received, 0xffffffff: none'],
    ['u32', 'receiveMs', 'upstream head to last response byte'],
    ['u32', 'credential', 'place + 1 of the one that a policy found; 0: the shell knows'],
    ['u32', 'tls', 'as in AcceptInfo'],
    ['u32', 'failedCount', 'u32 targets of failed tries at the end, where an upstream has several'],
    ['f64', 'startWallMs', ''],
    ['f64', 'requestBytes', 'head and body as received'],
    ['f64', 'responseBytes', 'head and body as sent'],
    ['f64', 'bodyBytesSent', ''],
    ['bytes16', 'clientAddress', 'after real-ip'],
    ['bytes16', 'peerAddress', ''],
    ['bytes32', 'requestId', 'hexadecimal text'],
  ],
} as const satisfies Record<string, readonly Field[]>;
