/** Counters, gauges and histograms; values are 64 bits wide and come as BigInt. */
import { limits } from '../../limits.js';
import { type MetricKind, MetricType, Status } from '../abi.js';
import type { FilterInstance } from '../instance.js';
import type { HostFunctions } from './imports.js';

export function metricFunctions(instance: FilterInstance): HostFunctions {
  return {
    proxy_define_metric(type: number, name: number, nameSize: number, idOut: number): number {
      const { memory } = instance;
      if (!memory.holds(name, nameSize) || !memory.holds(idOut, 4)) {
        return Status.INVALID_MEMORY_ACCESS;
      }
      const size = nameSize >>> 0;
      const isNamed = size > 0 && size <= limits.filterMetricNameBytes.value;
      if (type >>> 0 > MetricType.HISTOGRAM || !isNamed) return Status.BAD_ARGUMENT;
      const { metrics } = instance.options.services;
      const filter = instance.options.module.name;
      const id = metrics.define(filter, type as MetricKind, memory.utf8(name, size));
      if (id === 0) return Status.INTERNAL_FAILURE;
      memory.putU32(idOut, id);
      return Status.OK;
    },

    proxy_record_metric: (id: number, value: bigint) =>
      instance.options.services.metrics.record(id >>> 0, value),

    proxy_increment_metric: (id: number, delta: bigint) =>
      instance.options.services.metrics.increment(id >>> 0, delta),

    proxy_get_metric(id: number, valueOut: number): number {
      const { memory } = instance;
      if (!memory.holds(valueOut, 8)) return Status.INVALID_MEMORY_ACCESS;
      const value = instance.options.services.metrics.get(id >>> 0);
      if (value === undefined) return Status.NOT_FOUND;
      if (value === null) return Status.BAD_ARGUMENT;
      memory.putU64(valueOut, value);
      return Status.OK;
    },
  };
}
