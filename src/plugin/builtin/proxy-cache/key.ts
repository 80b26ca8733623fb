/** What makes two requests the same to the cache. */
import { createHash } from 'node:crypto';
import type { AccessContext } from '../../context-types.js';
import { writeArguments } from '../../pdk/arguments.js';
import type { Config } from './plugin.js';

/** Hexadecimal SHA-256 of consumer, route, method, path, arguments and chosen headers. */
export function cacheKey({ config, client, route, request }: AccessContext<Config>): string {
  const place = client.consumer && route ? `${client.consumer.id}:${route.id}` : route?.id;
  const path = config.ignore_uri_case ? request.rawPath.toLowerCase() : request.rawPath;
  const parts = [
    place ?? 'default',
    request.method,
    path,
    argumentsOf(request.rawQuery === '' ? {} : request.queryArguments(1000), config),
    (config.vary_headers ?? [])
      .map((name) => name.toLowerCase())
      .sort()
      .map((name) => `${name}=${request.headerValues(name).join(', ')}`)
      .join(),
  ];
  return createHash('sha256').update(parts.join('|')).digest('hex');
}

function argumentsOf(values: Readonly<Record<string, unknown>>, config: Config): string {
  const names = config.vary_query_params;
  const chosen = Object.entries(values).filter(
    ([name]) => !names || names.length === 0 || names.includes(name),
  );
  return writeArguments(Object.fromEntries(chosen) as never);
}
