/** Spans without effect: what plugins get where nobody traces. */
import type { PluginSpan, PluginTracing } from '../pdk-types.js';

const idleSpan: PluginSpan = Object.freeze({
  setAttribute() {},
  addEvent() {},
  recordError() {},
  end() {},
});

export class StepTracing implements PluginTracing {
  startSpan(): PluginSpan {
    return idleSpan;
  }
}
