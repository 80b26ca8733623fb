/** Short ways to write scenarios: a service with a route for a host, plugins, what is asked. */
import type { Scenario } from '../../support/scenario.js';

type Step = Scenario['steps'][number];
export type Expected = Step['expect'];

export interface Setup {
  readonly plugins?: readonly object[];
  /** On the route instead of the service. */
  readonly routePlugins?: readonly object[];
  readonly route?: object;
  readonly service?: object;
  readonly consumers?: readonly object[];
  /** Further members of the document. */
  readonly more?: object;
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: string;
  readonly chunked?: boolean;
  readonly tls?: boolean;
  readonly waitMs?: number;
  readonly save?: Readonly<Record<string, string>>;
}

export const host = 'scenario.test';

export const plugin = (name: string, config: object = {}) => ({ name, config });

/** A step: what is asked, and what must come back. */
export function ask(asked: Asked, expect: Expected): Step {
  const { method = 'GET', path = '/p', waitMs, save, ...rest } = asked;
  const step = { request: { method, path, host, ...rest }, expect };
  return {
    ...step,
    ...(waitMs === undefined ? {} : { wait_ms: waitMs }),
    ...(save ? { save } : {}),
  };
}

let count = 0;

/** A scenario with ids and names of its own, so that counters of others do not matter. */
export function scenario(name: string, setup: Setup, ...steps: readonly Step[]): Scenario {
  const { plugins = [], routePlugins, route, service, consumers, more } = setup;
  const suffix = `${process.pid}-${++count}`;
  const document = {
    _format_version: '3.0',
    services: [
      {
        name: `svc-${suffix}`,
        url: 'http://{{UPSTREAM_HOST}}:{{UPSTREAM_PORT}}',
        plugins,
        ...service,
        routes: [
          {
            name: `rt-${suffix}`,
            hosts: [host],
            ...(routePlugins ? { plugins: routePlugins } : {}),
            ...route,
          },
        ],
      },
    ],
    ...(consumers ? { consumers } : {}),
    ...more,
  };
  const text = JSON.stringify(document).replaceAll('@SERVICE', `svc-${suffix}`);
  return { name, plugin: '', declarative_config: JSON.parse(text), steps };
}

/** The body of `response.error`. */
export const errorBody = (message: string): Expected => ({
  body_json_subset: { message, request_id: { re: '^[0-9a-f]{32}$' } },
  upstream_saw: null,
});
