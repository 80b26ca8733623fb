#!/usr/bin/env node
/** The command line: reads arguments and hands over; each command lives in `src/cli/`. */
import { parseArgs } from 'node:util';
import { check } from './cli/check.js';
import { exitCodes, fail } from './cli/exit.js';
import { filterCommand } from './cli/filter.js';
import { plugin } from './cli/plugin.js';
import { reload } from './cli/reload.js';
import { printSchema } from './cli/schema.js';
import { start } from './cli/start.js';
import { version } from './product.js';

const usage = `usage: headgate <command> [options]

  start   -c FILE [--conf FILE] [--set NAME=VALUE]... [--pid FILE] [--quickstart] [--watch]
  check   FILE [--conf FILE] [--set NAME=VALUE]...    exit code 1 and every problem, if there is one
  plugin  init NAME | test [DIR] | lint PATH...       write, try and check a plugin of one's own
  reload  --pid FILE                                  the running gateway reads its file again
  schema                                              JSON Schema of the file, for editors
  filter  inspect|run|init                            see \`headgate filter\`
  version

exit codes: 0 done, 1 bad configuration or arguments, 2 failed while running
`;

const options = {
  config: { type: 'string', short: 'c' },
  conf: { type: 'string' },
  set: { type: 'string', multiple: true },
  pid: { type: 'string' },
  quickstart: { type: 'boolean' },
  watch: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

async function main(): Promise<number> {
  if (process.argv[2] === 'filter') return filterCommand(process.argv.slice(3));
  let parsed: ReturnType<typeof read>;
  try {
    parsed = read();
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${usage}`);
  }
  const { values, positionals } = parsed;
  const [command, ...rest] = positionals;
  if (values.help || command === undefined || command === 'help') {
    process.stdout.write(usage);
    return command === undefined && !values.help ? exitCodes.config : exitCodes.done;
  }
  if (command === 'plugin') return plugin(rest);
  if (rest.length > (command === 'check' ? 1 : 0))
    return fail(`unexpected: ${rest.join(' ')}\n\n${usage}`);
  switch (command) {
    case 'start':
      return start(values);
    case 'check':
      return check(rest[0] ?? values.config, values);
    case 'reload':
      return reload(values.pid);
    case 'schema':
      return printSchema();
    case 'version':
      process.stdout.write(`${version}\n`);
      return exitCodes.done;
    default:
      return fail(`unknown command '${command}'\n\n${usage}`);
  }
}

const read = () => parseArgs({ options, allowPositionals: true });

process.exitCode = await main();
