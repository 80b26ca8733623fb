/** `headgate filter inspect | run | init`: the workshop for authors of filters. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import type { CallbackName } from '../filter/abi.js';
import { loadModule } from '../filter/module.js';
import { exitCodes, fail } from './exit.js';
import { initFilter } from './filter-init.js';
import { runFilter } from './filter-run.js';

const usage = `usage: headgate filter <command>

  inspect FILE.wasm                                  ABI, imports, exports, what it is called for
  run FILE.wasm [--config TEXT] [--upstream-status N] [--upstream-header 'NAME: VALUE']...
      [--upstream-body TEXT] [--quiet] -- [-X METHOD] [-H 'NAME: VALUE']... [-d BODY] URL
                                                     one request through one filter
  init NAME --lang as|rust|go                        a folder with a filter that builds
`;

const options = {
  config: { type: 'string' },
  lang: { type: 'string' },
  quiet: { type: 'boolean' },
  'upstream-status': { type: 'string' },
  'upstream-header': { type: 'string', multiple: true },
  'upstream-body': { type: 'string' },
} as const;

/** `args`: behind `headgate filter`. @returns the exit code */
export async function filterCommand(args: readonly string[]): Promise<number> {
  const split = args.indexOf('--');
  const own = split < 0 ? args : args.slice(0, split);
  let parsed: ReturnType<typeof read>;
  try {
    parsed = read(own);
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${usage}`);
  }
  const { values, positionals } = parsed;
  const [command, target] = positionals;
  if (target === undefined || positionals.length > 2) return fail(usage);
  const request = split < 0 ? [] : args.slice(split + 1);
  try {
    if (command === 'inspect') return await inspect(target);
    if (command === 'run') return await runFilter(target, values, request);
    if (command === 'init') return await initFilter(target, values.lang ?? 'as');
  } catch (error) {
    return fail(`${(error as Error).message}\n`);
  }
  return fail(`unknown command '${command}'\n\n${usage}`);
}

const read = (args: readonly string[]) =>
  parseArgs({ args: [...args], options, allowPositionals: true });

export type FilterValues = ReturnType<typeof read>['values'];

const purposes: readonly (readonly [CallbackName, string])[] = [
  ['proxy_on_request_headers', 'request headers'],
  ['proxy_on_request_body', 'request bodies'],
  ['proxy_on_request_trailers', 'request trailers'],
  ['proxy_on_response_headers', 'response headers'],
  ['proxy_on_response_body', 'response bodies'],
  ['proxy_on_response_trailers', 'response trailers'],
  ['proxy_on_tick', 'ticks'],
  ['proxy_on_queue_ready', 'shared queues'],
  ['proxy_on_http_call_response', 'answers to HTTP calls'],
  ['proxy_on_grpc_receive', 'answers to gRPC calls'],
  ['proxy_on_log', 'the end of each exchange'],
];

async function inspect(file: string): Promise<number> {
  const module = loadModule(basename(file, '.wasm'), await readFile(file), { watchdog: false });
  const { compiled, callbacks, memoryPages } = module;
  const list = (items: readonly string[]) => [...new Set(items)].sort().join('\n    ') || '(none)';
  const called = purposes.filter(([name]) => callbacks.has(name)).map(([, text]) => text);
  process.stdout.write(
    [
      `name      ${module.name}`,
      `ABI       ${module.abi}`,
      `bytes     ${module.bytes}`,
      `sha256    ${module.hash}`,
      `memory    ${memoryPages.min} to ${memoryPages.max} pages of 64 KiB`,
      `called for\n    ${called.join('\n    ') || '(nothing)'}`,
      `imports\n    ${list(compiled.imports.map(({ module: space, name }) => `${space}.${name}`))}`,
      `exports\n    ${list(compiled.exports.map(({ name }) => name))}`,
      '',
    ].join('\n'),
  );
  return exitCodes.done;
}
