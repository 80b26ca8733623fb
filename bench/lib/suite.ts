/** The only file that knows the `benchmark` package: what a benchmark is, and how one is run. */
import Benchmark from 'benchmark';

export interface BenchCase {
  readonly name: string;
  /** True for the case that the others are compared with; by default the first one. */
  readonly baseline?: boolean;
  /** One call does `operations` of the thing measured. Synchronous. */
  readonly fn: () => unknown;
  /** Default 1. */
  readonly operations?: number;
}

export interface BenchSuite {
  readonly name: string;
  readonly cases: readonly BenchCase[];
}

export interface BenchResult {
  readonly name: string;
  readonly operationsPerSecond: number;
  /** Relative margin of error in per cent. */
  readonly marginPercent: number;
  /** Operations per second divided by those of the suite's baseline. */
  readonly ratio: number;
}

/** Runs every case `rounds` times (default 3), alternating, and keeps each case's median round. */
export function runSuite(suite: BenchSuite, options: { rounds?: number } = {}): BenchResult[] {
  const runs = suite.cases.map(() => [] as Measured[]);
  for (let round = 0; round < (options.rounds ?? 3); round++) {
    suite.cases.forEach((one, index) => {
      runs[index].push(measure(one));
    });
  }
  const medians = runs.map((list) => {
    list.sort((a, b) => a.operationsPerSecond - b.operationsPerSecond);
    return list[list.length >> 1];
  });
  const first = suite.cases.findIndex((one) => one.baseline);
  const baseline = medians[Math.max(0, first)].operationsPerSecond;
  return suite.cases.map((one, index) => ({
    name: one.name,
    ...medians[index],
    ratio: medians[index].operationsPerSecond / baseline,
  }));
}

type Measured = Omit<BenchResult, 'name' | 'ratio'>;

function measure(one: BenchCase): Measured {
  const bench = new Benchmark(one.name, one.fn, { maxTime: 0.5, minSamples: 5 });
  bench.run({ async: false });
  if (bench.error) throw new Error(`${one.name} failed`, { cause: bench.error });
  return {
    operationsPerSecond: bench.hz * (one.operations ?? 1),
    marginPercent: bench.stats.rme,
  };
}
