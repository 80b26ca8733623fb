/** Services for an instance that only tries a configuration: nothing of it is seen elsewhere. */
import type { Logger } from '../observe/logger.js';
import { FilterMetrics } from './metrics.js';
import type { FilterServices } from './services.js';
import { SharedData } from './shared-data.js';
import { SharedQueues } from './shared-queues.js';

export interface Rehearsal {
  readonly services: FilterServices;
  /** Logs what the filter said; wanted only where it failed, since it will say it again. */
  readonly show: () => void;
}

type Method = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export function rehearsalServices(services: FilterServices): Rehearsal {
  const lines: (() => void)[] = [];
  const noted = (logger: Logger): Logger => {
    const method = (name: Method) => (fields: object, message?: string) => {
      lines.push(() => logger[name](fields, message));
    };
    return {
      debug: method('debug'),
      info: method('info'),
      warn: method('warn'),
      error: method('error'),
      fatal: method('fatal'),
      child: (bindings) => noted(logger.child(bindings)),
    };
  };
  return {
    services: {
      ...services,
      logger: noted(services.logger),
      shared: new SharedData(),
      queues: new SharedQueues(),
      metrics: new FilterMetrics(),
    },
    show: () => {
      for (const line of lines) line();
    },
  };
}
