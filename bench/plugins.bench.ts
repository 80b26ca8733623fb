/**
 * What plugins add to an exchange in core and shell, without sockets: the same rows as the scenario
 * `plugins` of bench/e2e, each compiled into the core where it can be, and in the shell.
 */
import { compileTable } from '../src/compile-table.js';
import type { Snapshot } from '../src/config/model.js';
import { resolveSettings, type Settings } from '../src/config/settings.js';
import { parseSteps } from '../src/config-source.js';
import { writeSettings } from '../src/core/control.js';
import { type Core, createCore } from '../src/core/instance.js';
import { AcceptInfo, Command, Control, Event, Region } from '../src/core/layout.js';
import { headRoomBytes } from '../src/core/port.js';
import { installTable } from '../src/core/router.js';
import { createLogger } from '../src/observe/logger.js';
import { MetricSeries } from '../src/observe/metrics.js';
import { type AnyPlugin, definePlugin } from '../src/plugin/define.js';
import { PhaseRunner } from '../src/plugin/phases.js';
import { bundledPlugins } from '../src/plugin/registry.js';
import { runSteps } from '../src/slices.js';
import type { BenchSuite } from './lib/suite.js';

/** Exchanges of one call, each on a connection of its own. */
const BATCH = 32;

const userPlugin = definePlugin({
  name: 'user-sync',
  version: '1.0.0',
  priority: 1000,
  schema: { fields: {} },
  access(ctx) {
    ctx.service.request.setHeader('X-Tenant', ctx.request.header('host') ?? 'none');
  },
});

const plugins = new Map<string, AnyPlugin>([
  ...bundledPlugins.map((plugin) => [plugin.name, plugin] as const),
  [userPlugin.name, userPlugin as AnyPlugin],
]);

interface Row {
  readonly name: string;
  readonly plugins: readonly object[];
  readonly consumers?: number;
}

const keyed = { name: 'key-auth' };
const limited = { name: 'rate-limiting', config: { hour: 4_000_000_000, policy: 'local' } };
const rows: readonly Row[] = [
  { name: 'none', plugins: [] },
  { name: 'key-auth', plugins: [keyed] },
  { name: 'rate-limiting', plugins: [limited] },
  { name: 'both, 1 consumer', plugins: [keyed, limited] },
  { name: 'both, 1,000 consumers', plugins: [keyed, limited], consumers: 1000 },
  { name: 'cors', plugins: [{ name: 'cors' }] },
  {
    name: 'ip-restriction',
    plugins: [{ name: 'ip-restriction', config: { allow: ['127.0.0.0/8'] } }],
  },
  {
    name: 'correlation-id',
    plugins: [{ name: 'correlation-id', config: { echo_downstream: true } }],
  },
  {
    name: 'request-transformer',
    plugins: [
      {
        name: 'request-transformer',
        config: { add: { headers: ['X-Added:1'] }, remove: { headers: ['X-Removed'] } },
      },
    ],
  },
  {
    name: 'termination untriggered',
    plugins: [{ name: 'request-termination', config: { trigger: 'x-stop' } }],
  },
  {
    name: 'response-transformer',
    plugins: [{ name: 'response-transformer', config: { add: { headers: ['X-Added:1'] } } }],
  },
  { name: 'bot-detection', plugins: [{ name: 'bot-detection' }] },
  { name: "a user's", plugins: [{ name: 'user-sync' }] },
];

/** A connection from 127.0.0.1. */
const accepted = `${'\0'.repeat(10)}\xff\xff\x7f\0\0\x01`.padEnd(AcceptInfo.size, '\0');

const keyOf = (index: number) => `key-${String(index).padStart(4, '0')}`;

function snapshotOf(row: Row, settings: Settings): Snapshot {
  const consumers = Array.from({ length: row.consumers ?? 1 }, (_, index) => ({
    username: `consumer-${index}`,
    keyauth_credentials: [{ key: keyOf(index) }],
  }));
  const service = {
    name: 'upstream',
    url: 'http://127.0.0.1:9',
    routes: [{ name: 'all', paths: ['/bench'], strip_path: false }],
    plugins: row.plugins,
  };
  const text = JSON.stringify({ _format_version: '3.0', services: [service], consumers });
  const context = { plugins, settings, env: {}, nowMs: Date.now() };
  return runSteps(parseSteps({ text, interpolate: false }, context)).snapshot;
}

/** A core whose events are written by hand, with the plugins of a row. */
class Bench {
  readonly #core: Core = createCore({ seed: [1, 2] });
  readonly #keys: number;
  readonly #row: string;
  #next = 0;
  #upstreams: number[] = [];

  constructor(row: Row, compiled: boolean) {
    const options = {
      compiled_plugins: compiled ? 'on' : 'off',
      keepalive_requests: 2_000_000_000,
    };
    const settings = resolveSettings({ env: {}, options });
    const core = this.#core;
    this.#keys = row.consumers ?? 1;
    this.#row = row.name;
    writeSettings(core, settings, 'headgate/0.0.0');
    const { table, encoded } = runSteps(
      compileTable(snapshotOf(row, settings), {
        settings,
        plugins,
        logger: createLogger({ level: 'silent' }),
        tls: { listeners: [], client: null } as never,
        series: new MetricSeries(),
        hold: () => () => 0,
      }),
    );
    installTable(core, encoded);
    core.onPhase = new PhaseRunner({
      core,
      planOf: (_generation, route) => table.plans[route] ?? table.unmatched,
      post: () => {},
      requestBodyBytes: 8192,
      responseBodyBytes: 1_048_576,
    }).call;
    core.f64[(Region.control.offset + Control.nowMs) >> 3] = 1000;
    core.f64[(Region.control.offset + Control.wallMs) >> 3] = Date.now();
    this.#give(Event.ACCEPT, this.#clients, () => accepted);
    core.exports.process(BATCH);
  }

  readonly #clients = Array.from({ length: BATCH }, (_, index) => index | (1 << 16));

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
      throw new Error(`${this.#row}: ${this.#upstreams.length} requests left`);
    this.#give(Event.DATA, this.#upstreams, () => answer);
    exports.process(BATCH);
  };

  readonly #request = (): string => {
    const key = keyOf(this.#next++ % this.#keys);
    return `GET /bench HTTP/1.1\r\nHost: 127.0.0.1:8000\r\napikey: ${key}\r\n\r\n`;
  };

  #connecting: number[] = [];

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
      else if (u32[at] === Command.SEND) sent.push(u32[at + 1]);
    }
    if (this.#connecting.length === 0) this.#upstreams = sent;
  }
}

const answer = [
  'HTTP/1.1 200 OK',
  'Server: up',
  'Date: Thu, 01 Jan 2026 00:00:00 GMT',
  'Content-Type: text/plain',
  'Content-Length: 100',
  '',
  'x'.repeat(100),
].join('\r\n');

function suiteOf(name: string, compiled: boolean): BenchSuite {
  return {
    name,
    quickest: true,
    cases: rows.map((row) => {
      return { name: row.name, fn: new Bench(row, compiled).run, operations: BATCH };
    }),
  };
}

export const suites: readonly BenchSuite[] = [
  suiteOf('An exchange with plugins, compiled into the core where they can be', true),
  suiteOf('An exchange with plugins in the shell', false),
];
