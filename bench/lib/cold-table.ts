/**
 * Loads one configuration in this process, which did nothing before, and prints what it took as a
 * line of JSON: `cold-table.js FLAVOR ROUTES FORMAT`. Milliseconds of processor time, those of V8's
 * helper threads included, and of the clock.
 */
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.js';
import { createCore } from '../../src/core/instance.js';
import { encodeTable, installTable, type RouterFlavor } from '../../src/core/router.js';

const [flavor, count, format] = process.argv.slice(2) as [RouterFlavor, string, 'json' | 'yaml'];

/** Hosts times prefixes; of ten routes one asks for a header and one has a pattern. */
function routeAt(index: number, side: number): Record<string, unknown> {
  const host = `tenant-${Math.floor(index / side)}.example.com`;
  const path = `/api/v1/resource-${index % side}`;
  const named = { name: `route-${index}`, service: 'upstream' };
  if (flavor === 'expressions') {
    const marked = index % 10 === 0 ? ' && http.headers.x_canary == "on"' : '';
    const start = index % 10 === 5 ? `~ r#"^${path}/\\d+$"#` : `^= "${path}"`;
    return { ...named, expression: `http.host == "${host}" && http.path ${start}${marked}` };
  }
  return {
    ...named,
    hosts: [host],
    paths: [index % 10 === 5 ? `~${path}/\\d+$` : path],
    ...(index % 10 === 0 ? { headers: { 'x-canary': ['on'] } } : {}),
  };
}

function configText(): string {
  const side = Math.ceil(Math.sqrt(Number(count)));
  const routes = Array.from({ length: Number(count) }, (_, index) => routeAt(index, side));
  const services = [{ name: 'upstream', host: 'upstream.internal' }];
  const config = { _format_version: '3.0', services, routes };
  return format === 'yaml' ? stringify(config) : JSON.stringify(config);
}

function timed<T>(work: () => T): [result: T, cpuMs: number, wallMs: number] {
  const from = process.cpuUsage();
  const start = performance.now();
  const result = work();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(from);
  return [result, (user + system) / 1000, wallMs];
}

const text = configText();
const core = createCore();
const pluginSchemas = new Map();
const [loaded, ...load] = timed(() =>
  loadConfig({ text, format, pluginSchemas, routerFlavor: flavor }),
);
if (!loaded.ok) throw new Error(loaded.problems[0].message);
const { routes, services } = loaded.snapshot;
const plan = { phases: 0, metricSlot: 0, ringIds: [], plan: 0 };
const [encoded, ...table] = timed(() =>
  encodeTable({
    flavor,
    routes,
    services,
    perRoute: () => plan,
    unmatched: plan,
    targetIndex: () => 0,
  }),
);
if ('problems' in encoded) throw new Error(encoded.problems[0].message);
const [, ...swap] = timed(() => installTable(core, encoded));
const bytesPerRoute = Math.round(encoded.bytes.length / Number(count));
console.log(JSON.stringify({ load, table, swap, bytesPerRoute }));
