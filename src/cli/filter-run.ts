/** Runs one request through one filter and prints what happens. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { CallClient } from '../filter/calls/client.js';
import { directTarget } from '../filter/calls/target.js';
import { FilterChain } from '../filter/chain.js';
import {
  type FieldList,
  type MemoryRequest,
  type MemoryResponse,
  type MemoryResult,
  runExchange,
} from '../filter/memory-exchange.js';
import { FilterMetrics } from '../filter/metrics.js';
import { loadModule } from '../filter/module.js';
import type { FilterServices, TraceEvent } from '../filter/services.js';
import { SharedData } from '../filter/shared-data.js';
import { SharedQueues } from '../filter/shared-queues.js';
import { FilterVm } from '../filter/vm.js';
import type { Logger } from '../observe/logger.js';
import { systemClock } from '../time.js';
import { exitCodes } from './exit.js';
import type { FilterValues } from './filter.js';

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** @throws GatewayError where the module is refused, Error for a request that makes no sense */
export async function runFilter(
  file: string,
  values: FilterValues,
  args: readonly string[],
): Promise<number> {
  const request = parseRequest(args);
  const name = basename(file, '.wasm');
  const services = makeServices(values.quiet === true);
  const module = loadModule(name, await readFile(file));
  const vm = new FilterVm({ module, services, host: {} });
  const config = Buffer.from(values.config ?? '');
  vm.rehearse(config);
  const chain = new FilterChain([vm.bind(config)], services);
  try {
    const upstream = () => upstreamOf(values);
    printMessage('request', requestLine(request), request.headers, request.body);
    printResult(await runExchange({ chain, request, upstream }));
  } finally {
    chain.release();
    await services.calls.close();
  }
  return exitCodes.done;
}

function makeServices(quiet: boolean): FilterServices {
  const clock = systemClock;
  const resolve = directTarget;
  return {
    clock,
    workerId: 0,
    logger: printingLogger(),
    logLevel: 'trace',
    shared: new SharedData(),
    queues: new SharedQueues(),
    metrics: new FilterMetrics(),
    calls: new CallClient({ clock, resolve }),
    foreign: new Map(),
    trace: quiet ? undefined : printEvent,
  };
}

function printingLogger(): Logger {
  const line = (level: string) => (_fields: object, message?: string) => {
    print(`  log ${level}: ${message ?? ''}`);
  };
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    fatal: line('critical'),
    child: printingLogger,
  };
}

function printEvent({ kind, name, values, result }: TraceEvent): void {
  const text = `${name}(${values.join(', ')}) = ${String(result)}`;
  print(kind === 'callback' ? `<- ${text}` : `    ${text}`);
}

function printResult({ sent, received, reply }: MemoryResult): void {
  if (sent) printMessage('sent to the upstream', requestLine(sent), sent.headers, sent.body);
  else print('\nthe upstream was not asked');
  if (reply) print(`\nthe filter answered${reply.details ? ` (${reply.details})` : ''}`);
  if (!received) return print('\nthe connection was cut');
  printMessage('answer', String(received.status), received.headers, received.body);
}

const requestLine = ({ method, path, authority }: MemoryRequest): string =>
  `${method} ${path} (${authority})`;

function printMessage(
  title: string,
  line: string,
  headers: FieldList,
  body: readonly Uint8Array[] = [],
): void {
  print(`\n--- ${title}\n${line}`);
  for (const [name, value] of headers) print(`${name}: ${value}`);
  if (body.length > 0) print(`\n${Buffer.concat(body).toString()}`);
}

function upstreamOf(values: FilterValues): MemoryResponse {
  const body = values['upstream-body'] ?? 'hello\n';
  return {
    status: Number(values['upstream-status'] ?? 200),
    headers: [['content-type', 'text/plain'], ...fieldsOf(values['upstream-header'])],
    body: body === '' ? [] : [Buffer.from(body)],
  };
}

const requestOptions = {
  request: { type: 'string', short: 'X' },
  header: { type: 'string', short: 'H', multiple: true },
  data: { type: 'string', short: 'd' },
} as const;

/** What curl would be told; default `GET http://localhost/`. */
function parseRequest(args: readonly string[]): MemoryRequest {
  const parsed = parseArgs({ args: [...args], options: requestOptions, allowPositionals: true });
  const { values, positionals } = parsed;
  const text = positionals[0] ?? 'http://localhost/';
  const url = new URL(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  const body = values.data === undefined ? [] : [Buffer.from(values.data)];
  const length: FieldList = body.length > 0 ? [['content-length', String(body[0].length)]] : [];
  return {
    method: values.request ?? (body.length > 0 ? 'POST' : 'GET'),
    path: `${url.pathname}${url.search}`,
    scheme: url.protocol.slice(0, -1),
    authority: url.host,
    headers: [...fieldsOf(values.header), ...length],
    body,
  };
}

function fieldsOf(lines: readonly string[] = []): FieldList {
  return lines.map((line) => {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`'${line}' is no header: expected NAME: VALUE`);
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}
