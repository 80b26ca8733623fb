/** Spans of plugins: recorded where a plugin exports them, without effect elsewhere. */
import { startSpan } from '../../trace/plugin-spans.js';
import type { Exchange } from '../exchange.js';
import type { PluginSpan, PluginTracing } from '../pdk-types.js';

const idleSpan: PluginSpan = Object.freeze({
  setAttribute() {},
  addEvent() {},
  recordError() {},
  end() {},
});

/** Plugins that export spans. */
const exporters: readonly string[] = ['opentelemetry', 'zipkin'];

export class StepTracing implements PluginTracing {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  startSpan(name: string, attributes?: Readonly<Record<string, unknown>>): PluginSpan {
    const { plan, request } = this.#exchange;
    const isExported = plan?.log.some(({ plugin }) => exporters.includes(plugin.name));
    return isExported ? startSpan(request.id, name, attributes) : idleSpan;
  }
}
