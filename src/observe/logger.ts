/** The node's logger: newline JSON by pino, with credentials removed. */

import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';
import { lineTap } from '../log/line-tap.js';

/** What this project needs of a logger; every pino logger is one. */
export interface Logger {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
  fatal(fields: object, message?: string): void;
  child(bindings: Record<string, unknown>): Logger;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Names of fields whose values never reach a log, at the top and one level down. */
const secretFields = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'apikey',
  'password',
  'secret',
  'token',
  'client_secret',
];

const redactPaths = secretFields.flatMap((name) => {
  const key = /^\w+$/.test(name) ? `.${name}` : `["${name}"]`;
  return [key.startsWith('.') ? name : key, `*${key}`, `headers${key}`, `*.headers${key}`];
});

export interface NodeLogger extends Logger {
  /** Opens the file again after a rotation; nothing to do for stdout. */
  reopen(): void;
  /** Writes what is buffered, synchronously. */
  flush(): void;
}

export interface LoggerOptions {
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Path of a file, or a descriptor; default standard output. */
  readonly destination?: string | number;
  /** Where lines go instead, for embedders. */
  readonly stream?: DestinationStream;
}

/** Makes the node's logger. Lines are written synchronously: the last words of a crash arrive. */
export function createLogger(options: LoggerOptions = {}): NodeLogger {
  const file = options.stream ? null : destination({ dest: options.destination ?? 1, sync: true });
  const logger: PinoLogger = pino(
    {
      level: options.level ?? 'info',
      base: undefined,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      hooks: {
        logMethod(args, method, level) {
          lineTap.add(level, args);
          method.apply(this, args);
        },
      },
      serializers: { err: describeError },
      redact: { paths: redactPaths, censor: 'REDACTED' },
    },
    options.stream ?? (file as DestinationStream),
  );
  return Object.assign(logger, {
    reopen: () => {
      if (typeof options.destination === 'string') file?.reopen();
    },
    flush: () => file?.flushSync(),
  }) as unknown as NodeLogger;
}

/** Code, message and stack: `details` may hold what a user wrote, credentials among it. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as { code?: unknown };
  return { type: error.name, code, message: error.message, stack: error.stack };
}
