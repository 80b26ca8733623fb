/** What makes two requests the same to the cache. */
import { createHash } from 'node:crypto';
import type { AccessContext } from '../../context-types.js';
import type { Config } from './plugin.js';

/** Hexadecimal SHA-256 of consumer, route, method, path, arguments and chosen headers. */
export function cacheKey({ config, client, route, request }: AccessContext<Config>): string {
  const place = client.consumer && route ? `${client.consumer.id}:${route.id}` : route?.id;
  const line = requestLine(request);
  const { vary_query_params: params, vary_headers: fields } = config;
  const values = request.rawQuery === '' ? {} : request.queryArguments(1000);
  const parts = [
    place ?? 'default',
    request.method,
    config.ignore_uri_case ? line.toLowerCase() : line,
    textOf((name) => values[name], params?.length ? params : Object.keys(values).sort()),
    textOf((name) => oneOrMore(request.headerValues(name)), fields ?? []),
  ];
  return createHash('sha256').update(parts.join('|')).digest('hex');
}

/** As it came, up to the question mark: where there is none, the version is part of it. */
function requestLine(request: AccessContext<Config>['request']): string {
  const line = `${request.method} ${request.pathWithQuery}`;
  const mark = line.indexOf('?');
  if (mark >= 0) return line.slice(0, mark);
  return `${line} HTTP/${request.httpVersion === 1 ? '1.0' : '1.1'}`;
}

type Value = string | true | readonly (string | true)[] | undefined;

const oneOrMore = (values: readonly string[]): Value => (values.length > 1 ? values : values[0]);

/** `name=value` of those that are there; the order of repeated values does not matter. */
function textOf(find: (name: string) => Value, names: readonly string[]): string {
  const parts: string[] = [];
  for (const name of names) {
    const value = find(name);
    if (value === true) parts.push(name);
    else if (typeof value === 'string') parts.push(`${name}=${value}`);
    else if (value) parts.push(`${name}=${[...value].sort().join(',')}`);
  }
  return parts.join(':');
}
