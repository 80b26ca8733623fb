/** Runs the suites of one compiled bench file, named as the only argument, and prints a table. */
import { pathToFileURL } from 'node:url';
import { type BenchSuite, runSuite } from './suite.js';

interface BenchFile {
  readonly suite?: BenchSuite;
  readonly suites?: readonly BenchSuite[];
  /** What is no matter of calls per second, and prints itself. */
  readonly report?: () => void;
}

function print(suite: BenchSuite): void {
  const results = runSuite(suite);
  const width = Math.max(...results.map(({ name }) => name.length));
  console.log(`\n${suite.name}`);
  for (const { name, operationsPerSecond, marginPercent, ratio } of results) {
    const speed = Math.round(operationsPerSecond).toLocaleString('en');
    const nanoseconds = (1e9 / operationsPerSecond).toFixed(1);
    console.log(
      `  ${name.padEnd(width)}  ${speed.padStart(13)} ops/s  ${nanoseconds.padStart(9)} ns` +
        `  ±${marginPercent.toFixed(1)} %  x${ratio.toFixed(2)}`,
    );
  }
}

const file: BenchFile = await import(pathToFileURL(process.argv[2]).href);
for (const suite of file.suites ?? (file.suite ? [file.suite] : [])) print(suite);
file.report?.();
