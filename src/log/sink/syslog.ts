/**
 * Writes to the syslog of this machine. Node has no datagrams over Unix sockets, so a `logger`
 * process (util-linux) that lives as long as the sink passes lines on; where the socket is missing
 * or there is no such program, datagrams go to the syslog port of this machine instead.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { GatewayError } from '../../errors.js';
import { limits } from '../../limits.js';
import { UdpSink, within } from './udp.js';

/** Facility numbers of RFC 5424 6.2.1. */
export const facilities = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;

export type Facility = keyof typeof facilities;

export interface SyslogMessage {
  readonly facility: Facility;
  /** 0 (emergency) to 7 (debug). */
  readonly severity: number;
  /** One line. */
  readonly text: string;
}

export interface SyslogOptions {
  /** The datagram socket of the syslog daemon; default `/dev/log`. */
  readonly socket?: string;
  /** The program that writes to it; default `logger`. */
  readonly program?: string;
  /** Where datagrams go instead; default port 514. */
  readonly udpPort?: number;
}

type Logger = ChildProcessByStdio<Writable, null, null>;

const ident = 'kong';
const timeoutMs = 10_000;

export class SyslogSink {
  readonly #socket: string;
  readonly #program: string;
  readonly #udpPort: number;
  readonly #udp = new UdpSink();
  #logger: Logger | null = null;
  /** The program could not be started: it is not tried again. */
  #noProgram = false;

  constructor(options: SyslogOptions = {}) {
    this.#socket = options.socket ?? '/dev/log';
    this.#program = options.program ?? 'logger';
    this.#udpPort = options.udpPort ?? 514;
  }

  /** @throws GatewayError GW_E_SUBMIT with the reason */
  async send(messages: readonly SyslogMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const logger = existsSync(this.#socket) ? await this.#running() : null;
    if (!logger) {
      const datagrams = messages.map((message) => `${headOf(message)}${message.text}`);
      await this.#udp.send('127.0.0.1', this.#udpPort, datagrams, timeoutMs);
      return;
    }
    const lines = messages.map(({ facility, severity, text }) => {
      return `<${facilities[facility] * 8 + severity}>${text}\n`;
    });
    try {
      await within(write(logger, lines.join('')), timeoutMs);
    } catch (cause) {
      this.#logger = null;
      logger.kill();
      const message = `failed to write to syslog: ${(cause as Error).message}`;
      throw new GatewayError('GW_E_SUBMIT', message, { cause });
    }
  }

  /** Lets the program write what it has and end. The sink can be used again. */
  async close(): Promise<void> {
    const logger = this.#logger;
    this.#logger = null;
    await this.#udp.close();
    if (!logger || logger.exitCode !== null) return;
    const ended = new Promise((resolve) => logger.once('close', resolve));
    logger.stdin.end();
    await within(ended, timeoutMs).catch(() => logger.kill());
  }

  async #running(): Promise<Logger | null> {
    if (this.#noProgram) return null;
    if (this.#logger) return this.#logger;
    const size = String(limits.ringEntryBytes.value * 2);
    const args = ['--socket', this.#socket, '--tag', ident, `--id=${process.pid}`];
    // Each line begins with its priority; the default size would cut records.
    const logger = spawn(this.#program, [...args, '--prio-prefix', '--size', size], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    logger.stdin.on('error', () => {});
    logger.once('close', () => {
      if (this.#logger === logger) this.#logger = null;
    });
    const started = await new Promise<boolean>((resolve) => {
      logger.once('spawn', () => resolve(true));
      logger.once('error', () => resolve(false));
    });
    this.#noProgram = !started;
    if (started) this.#logger = logger;
    return this.#logger;
  }
}

function write(logger: Logger, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    logger.stdin.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** The head of a datagram in the form of RFC 3164, which every daemon takes. */
function headOf({ facility, severity }: SyslogMessage): string {
  const now = new Date();
  const [, month, day, , time] = /^\w+ (\w+) (\d+) (\d+) ([\d:]+)/.exec(now.toString()) ?? [];
  const stamp = `${month} ${String(Number(day)).padStart(2)} ${time}`;
  return `<${facilities[facility] * 8 + severity}>${stamp} ${ident}[${process.pid}]: `;
}
