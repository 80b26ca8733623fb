/** Shows a running node to the Admin API: status, metrics, plugins, settings without secrets. */
import type { AdminSource } from './admin/source.js';
import type { Snapshot } from './config/model.js';
import type { Settings } from './config/settings.js';
import type { ReadyConfig } from './config-source.js';
import type { FilterRegistry } from './filter/registry.js';
import type { QueueMetrics } from './log/queue-metrics.js';
import { prometheusText } from './observe/exposition.js';
import { filterMetricsText } from './observe/filter-metrics.js';
import type { PluginRegistry } from './plugin/registry.js';
import { nodeId, version } from './product.js';
import type { PoolReport, WorkerPool } from './workers/pool.js';

export interface NodeSourceOptions {
  readonly node: {
    readonly pool: WorkerPool;
    readonly plugins: PluginRegistry;
    readonly settings: Settings;
    readonly filters: FilterRegistry;
  };
  readonly config: () => ReadyConfig;
  readonly reloads: { readonly succeeded: number; readonly failed: number };
  readonly notReady: () => string | null;
  readonly failReadiness: () => void;
  readonly apply: AdminSource['apply'];
}

const mebibyte = 1024 * 1024;

export function nodeSource(options: NodeSourceOptions): AdminSource {
  const { node } = options;
  return {
    version,
    nodeId,
    notReady: options.notReady,
    failReadiness: options.failReadiness,
    apply: options.apply,
    snapshot: () => options.config().snapshot,
    configText: () => options.config().text,
    status: async () => statusOf(await node.pool.report(), node.pool.generation),
    metrics: async () => {
      const report = await node.pool.report();
      const patternsOf = (name: string) => node.filters.get(name)?.meta.labelPatterns ?? [];
      const own = prometheusText({
        ...report,
        nodeId,
        version,
        requests: hasPrometheus(options.config().snapshot) ? report.requestMetrics : null,
        upstreams: showsHealth(options.config().snapshot) ? report.upstreams : null,
        reloads: options.reloads,
        generation: node.pool.generation,
        configHash: options.config().snapshot.hash,
      });
      return own + filterMetricsText(report.filterMetrics, patternsOf);
    },
    upstreams: async () => (await node.pool.report()).upstreams,
    setHealth: (change) => node.pool.setHealth(change),
    plugins: () =>
      [...node.plugins.values()].map(({ name, version, priority }) => ({
        name,
        version,
        priority,
      })),
    schemas: () => ({
      plugins: node.plugins,
      filters: node.filters,
      routerFlavor: node.settings.routerFlavor,
    }),
    settings: () => settingsOf(node.settings),
  };
}

const hasPrometheus = ({ plugins }: Snapshot): boolean =>
  plugins.some(({ name, enabled }) => name === 'prometheus' && enabled);

const showsHealth = ({ plugins }: Snapshot): boolean =>
  plugins.some(({ name, enabled, config }) => {
    return name === 'prometheus' && enabled && config.upstream_health_metrics === true;
  });

function statusOf(report: PoolReport, generation: number): Record<string, unknown> {
  const { control } = report;
  const heap = (process.memoryUsage().heapUsed / mebibyte).toFixed(2);
  return {
    memory: {
      workers_lua_vms: [{ pid: process.pid, http_allocated_gc: `${heap} MiB` }],
      lua_shared_dicts: {},
    },
    server: {
      connections_accepted: control.acceptedConnections,
      connections_active: control.activeDownstream,
      connections_handled: control.acceptedConnections - control.refusedConnections,
      connections_reading: 0,
      connections_waiting: Math.max(0, control.activeDownstream - control.activeExchanges),
      connections_writing: control.activeExchanges,
      total_requests: control.requests,
    },
    driver: report.driver,
    generation,
    live_generations: report.liveGenerations,
    workers: report.workers,
    queues: report.queues.map(queueStatus),
  };
}

function queueStatus(queue: QueueMetrics): Record<string, unknown> {
  const { inFlight, ageSeconds, journalBytes, ...rest } = queue;
  return {
    ...rest,
    in_flight: inFlight,
    oldest_age_seconds: ageSeconds,
    journal_bytes: journalBytes,
  };
}

/** Nothing here is secret: where texts could hold one, only whether they are given is shown. */
function settingsOf(settings: Settings): Record<string, unknown> {
  const address = ({ host, port }: { host: string; port: number }) => `${host}:${port}`;
  return {
    database: 'off',
    role: 'traditional',
    router_flavor: settings.routerFlavor,
    plugins: settings.plugins,
    proxy_listen: settings.proxyListen.map(address),
    admin_listen: settings.adminListen.map(address),
    log_level: settings.logLevel,
    driver: settings.driver,
    workers: settings.workers,
    access_log: settings.accessLog,
    declarative_config: settings.declarativeConfig,
    real_ip_header: settings.realIpHeader,
    allow_debug_header: settings.allowDebugHeader,
    upstream_keepalive_pool_size: settings.upstreamKeepalivePoolSize,
    upstream_keepalive_max_requests: settings.upstreamKeepaliveMaxRequests,
  };
}
