/**
 * From the text of a configuration to a route table in use, each time in a process that starts for
 * it: what a node does at its start. The median of several processes.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

type Times = readonly [cpuMs: number, wallMs: number];

interface Cold {
  readonly load: Times;
  readonly table: Times;
  readonly swap: Times;
  readonly bytesPerRoute: number;
}

const program = fileURLToPath(new URL('./lib/cold-table.js', import.meta.url));
const processes = 5;

function median(runs: readonly Cold[], stage: 'load' | 'table' | 'swap'): string {
  const of = (which: 0 | 1) => {
    const list = runs.map((run) => run[stage][which]).sort((a, b) => a - b);
    return Math.round(list[list.length >> 1]);
  };
  return `${of(1)} ms (${of(0)} ms cpu)`.padEnd(22);
}

/** Prints a line for each flavour, size and format. */
export function report(): void {
  console.log('\ncold start'.padEnd(44), 'parse and check'.padEnd(22), 'table'.padEnd(22), 'swap');
  for (const flavor of ['traditional_compatible', 'expressions', 'traditional']) {
    for (const [count, format] of [
      ['1000', 'yaml'],
      ['10000', 'yaml'],
      ['10000', 'json'],
    ]) {
      const runs = Array.from({ length: processes }, (): Cold => {
        const args = [program, flavor, count, format];
        return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
      });
      console.log(
        `  ${flavor} ${count} ${format}`.padEnd(42),
        median(runs, 'load'),
        median(runs, 'table'),
        median(runs, 'swap'),
        `${runs[0].bytesPerRoute} bytes a route`,
      );
    }
  }
}
