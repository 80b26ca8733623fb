/** Which log queues a configured plugin feeds. */
import type { LogSink } from '../plugin/log-types.js';
import type { PlanStep } from '../plugin/plan.js';
import { queueIdentity } from './params.js';
import { handlerSink } from './shipping.js';

/** The sinks of a plugin, each with a queue; none where it does not log. */
export function sinksOf({ plugin, entity, logger }: PlanStep): LogSink<unknown>[] {
  const { log } = plugin;
  const onError = (error: unknown) =>
    logger.error({ err: error }, `plugin ${plugin.name} failed in log`);
  const sink = plugin.logSink ?? (log && handlerSink(log.bind(plugin), onError));
  return sink ? [sink, ...(sink.also?.(entity.config) ?? [])] : [];
}

/** What tells the queues of a configuration apart, wherever they are kept. */
export function queueKey({ entity }: PlanStep, sink: LogSink<unknown>): string {
  const { name } = queueIdentity(entity, sink.key?.(entity.config));
  return `${entity.name} ${name} ${sink.suffix ?? ''}`;
}
