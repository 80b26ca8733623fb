/**
 * Whole exchanges through core and shell without sockets: events are written by hand, commands are
 * read, and what stands between is what a gateway with this configuration does.
 */
import { compileTable } from '../../src/compile-table.js';
import { resolveSettings } from '../../src/config/settings.js';
import { parseSteps } from '../../src/config-source.js';
import { writeSettings } from '../../src/core/control.js';
import { type Core, createCore } from '../../src/core/instance.js';
import { AcceptInfo, Command, Control, Event, Region } from '../../src/core/layout.js';
import { headRoomBytes } from '../../src/core/port.js';
import { installTable } from '../../src/core/router.js';
import type { FilterRegistry } from '../../src/filter/registry.js';
import { WorkerFilters } from '../../src/filter/worker-filters.js';
import { createLogger } from '../../src/observe/logger.js';
import { MetricSeries } from '../../src/observe/metrics.js';
import type { AnyPlugin } from '../../src/plugin/define.js';
import { PhaseRunner } from '../../src/plugin/phases.js';
import { runSteps } from '../../src/slices.js';
import { systemClock } from '../../src/time.js';

/** Exchanges of one call of `run`, each on a connection of its own. */
export const BATCH = 32;

export interface CycleOptions {
  readonly name: string;
  readonly plugins?: ReadonlyMap<string, AnyPlugin>;
  readonly filters?: FilterRegistry;
  /** Of the service: `plugins`, `filter_chains`. Its routes and address are the bench's. */
  readonly service: object;
  readonly consumers?: readonly object[];
  /** Further settings. */
  readonly settings?: Record<string, string | number>;
  /** The n-th request. */
  readonly request: (n: number) => string;
  readonly answer?: string;
}

/** A connection from 127.0.0.1. */
const accepted = `${'\0'.repeat(10)}\xff\xff\x7f\0\0\x01`.padEnd(AcceptInfo.size, '\0');

export class ExchangeCycle {
  readonly #core: Core = createCore({ seed: [1, 2] });
  readonly #options: CycleOptions;
  readonly #answer: string;
  readonly #clients = Array.from({ length: BATCH }, (_, index) => index | (1 << 16));
  #next = 0;
  #connecting: number[] = [];
  #upstreams: number[] = [];

  constructor(options: CycleOptions) {
    this.#options = options;
    this.#answer = options.answer ?? smallAnswer;
    this.#configure();
    const core = this.#core;
    core.f64[(Region.control.offset + Control.nowMs) >> 3] = 1000;
    core.f64[(Region.control.offset + Control.wallMs) >> 3] = Date.now();
    this.#give(Event.ACCEPT, this.#clients, () => accepted);
    core.exports.process(BATCH);
  }

  /** BATCH requests, and their answers. */
  readonly run = (): void => {
    const { exports } = this.#core;
    this.#give(Event.DATA, this.#clients, this.#request);
    this.#obey(exports.process(BATCH));
    const connecting = this.#connecting;
    if (connecting.length > 0) {
      this.#give(Event.CONNECTED, connecting, () => '');
      this.#obey(exports.process(connecting.length));
    }
    if (this.#upstreams.length !== BATCH)
      throw new Error(`${this.#options.name}: ${this.#upstreams.length} requests left`);
    this.#give(Event.DATA, this.#upstreams, () => this.#answer);
    exports.process(BATCH);
  };

  #configure(): void {
    const core = this.#core;
    const { plugins = new Map(), filters = new Map(), consumers = [] } = this.#options;
    const settings = resolveSettings({
      env: {},
      options: { keepalive_requests: 2_000_000_000, ...this.#options.settings },
    });
    writeSettings(core, settings, 'headgate/0.0.0');
    const service = {
      name: 'upstream',
      url: 'http://127.0.0.1:9',
      routes: [{ name: 'all', paths: ['/bench'], strip_path: false }],
      ...this.#options.service,
    };
    const text = JSON.stringify({ _format_version: '3.0', services: [service], consumers });
    const context = { plugins, filters, settings, env: {}, nowMs: Date.now() };
    const { snapshot } = runSteps(parseSteps({ text, interpolate: false }, context));
    const logger = createLogger({ level: 'silent' });
    const host = new WorkerFilters({
      core,
      clock: systemClock,
      index: 0,
      memory: null,
      logger,
      logLevel: 'error',
      foreign: new Map(),
      facts: {
        internTarget: () => 0,
        targetAddress: () => undefined,
        certificateFor: () => undefined,
        configuration: settings.texts,
      },
    });
    host.prepare(snapshot, filters);
    const { table, encoded } = runSteps(
      compileTable(snapshot, {
        settings,
        plugins,
        logger,
        tls: { listeners: [], client: null } as never,
        series: new MetricSeries(),
        hold: () => () => ({ target: 0, view: null }),
        phasesOf: host.phasesOf,
      }),
    );
    installTable(core, encoded);
    core.onPhase = new PhaseRunner({
      core,
      planOf: (_generation, route) => table.plans[route] ?? table.unmatched,
      credentialOf: (_generation, place) => table.keys[place] ?? null,
      post: () => {},
      requestBodyBytes: 8192,
      responseBodyBytes: 1_048_576,
      stagesOf: host.stagesOf,
    }).call;
  }

  readonly #request = (): string => this.#options.request(this.#next++);

  #give(type: number, ids: readonly number[], text: (index: number) => string): void {
    const { u32, buffer } = this.#core;
    let from: number = Region.read.offset + headRoomBytes;
    for (let i = 0; i < ids.length; i++) {
      const bytes = text(i);
      const at = (Region.events.offset >> 2) + i * 4;
      buffer.latin1Write(bytes, from);
      u32[at] = type;
      u32[at + 1] = ids[i];
      u32[at + 2] = from;
      u32[at + 3] = bytes.length;
      from = (from + bytes.length + headRoomBytes + 63) & ~63;
    }
  }

  #obey(count: number): void {
    const { u32 } = this.#core;
    this.#connecting = [];
    const sent: number[] = [];
    for (let i = 0; i < count; i++) {
      const at = (Region.commands.offset >> 2) + i * 4;
      if (u32[at] === Command.CONNECT) this.#connecting.push(u32[at + 1]);
      else if (u32[at] === Command.SEND && sent.at(-1) !== u32[at + 1]) sent.push(u32[at + 1]);
    }
    if (this.#connecting.length === 0) this.#upstreams = sent;
  }
}

export const answerOf = (bodyBytes: number): string =>
  [
    'HTTP/1.1 200 OK',
    'Server: up',
    'Date: Thu, 01 Jan 2026 00:00:00 GMT',
    'Content-Type: text/plain',
    `Content-Length: ${bodyBytes}`,
    '',
    'x'.repeat(bodyBytes),
  ].join('\r\n');

const smallAnswer = answerOf(100);
