/**
 * The node's settings of its own tracer, `tracing_instrumentations` and `tracing_sampling_rate`.
 * Plugins find those of their node by their config, which belongs to one node.
 */

/** What the gateway's own tracer records; `all` stands for every one. */
export const instrumentations = [
  'off',
  'all',
  'request',
  'db_query',
  'dns_query',
  'router',
  'http_client',
  'balancer',
  'plugin_rewrite',
  'plugin_access',
  'plugin_header_filter',
] as const;

export interface TracingSettings {
  /** Empty: the tracer is off. */
  readonly instrumentations: readonly string[];
  /** Share of the traces, for plugins that do not name one. */
  readonly samplingRate: number;
}

/** Whether spans of this kind are made. */
export const isTraced = (settings: TracingSettings, kind: string): boolean =>
  settings.instrumentations.includes('all') || settings.instrumentations.includes(kind);

export const tracingOff: TracingSettings = { instrumentations: [], samplingRate: 0 };

const byConfig = new WeakMap<object, TracingSettings>();

/** Tells a plugin's config what its node says about tracing. */
export function setTracing(config: unknown, settings: TracingSettings): void {
  if (typeof config === 'object' && config !== null) byConfig.set(config, settings);
}

export const tracingOf = (config: object): TracingSettings => byConfig.get(config) ?? tracingOff;

/** Parses `off`, `all`, or a list of kinds. */
export function parseInstrumentations(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  const known: readonly string[] = instrumentations;
  if (names.some((name) => !known.includes(name)) || (names.length > 1 && names.includes('off'))) {
    throw new Error(`expected off, all or a list of ${instrumentations.slice(2).join(', ')}`);
  }
  return names.includes('off') ? [] : names;
}
