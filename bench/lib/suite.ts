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
  /** Take the quickest of many short runs: other work of the machine does not show then. */
  readonly quickest?: boolean;
}

export interface BenchResult {
  readonly name: string;
  readonly operationsPerSecond: number;
  /** Relative margin of error in per cent. */
  readonly marginPercent: number;
  /** Operations per second divided by those of the suite's baseline. */
  readonly ratio: number;
}

/**
 * Runs every case `rounds` times (default 3), alternating, and keeps each case's median round; or
 * its quickest runs, where the suite asks for that.
 */
export function runSuite(suite: BenchSuite, options: { rounds?: number } = {}): BenchResult[] {
  const medians = suite.quickest ? quickestRuns(suite) : medianRuns(suite, options.rounds ?? 3);
  const first = suite.cases.findIndex((one) => one.baseline);
  const baseline = medians[Math.max(0, first)].operationsPerSecond;
  return suite.cases.map((one, index) => ({
    name: one.name,
    ...medians[index],
    ratio: medians[index].operationsPerSecond / baseline,
  }));
}

type Measured = Omit<BenchResult, 'name' | 'ratio'>;

function medianRuns(suite: BenchSuite, rounds: number): Measured[] {
  const runs = suite.cases.map(() => [] as Measured[]);
  for (let round = 0; round < rounds; round++) {
    suite.cases.forEach((one, index) => {
      runs[index].push(measure(one));
    });
  }
  return runs.map((list) => {
    list.sort((a, b) => a.operationsPerSecond - b.operationsPerSecond);
    return list[list.length >> 1];
  });
}

const WARM_UP_CALLS = 1500;
const SHORT_RUNS = 600;
const CALLS_PER_RUN = 6;

/** A case's time is that of the quickest fiftieth of its runs; the margin reaches to a quarter. */
function quickestRuns({ cases }: BenchSuite): Measured[] {
  const times = cases.map(() => [] as number[]);
  for (const { fn } of cases) for (let i = 0; i < WARM_UP_CALLS; i++) fn();
  for (let run = 0; run < SHORT_RUNS; run++) {
    cases.forEach(({ fn, operations = 1 }, index) => {
      const start = performance.now();
      for (let i = 0; i < CALLS_PER_RUN; i++) fn();
      times[index].push((performance.now() - start) / (CALLS_PER_RUN * operations));
    });
  }
  return times.map((list) => {
    list.sort((a, b) => a - b);
    const quick = list[Math.floor(list.length / 50)];
    const quarter = list[Math.floor(list.length / 4)];
    return {
      operationsPerSecond: 1000 / quick,
      marginPercent: ((quarter - quick) / quick) * 100,
    };
  });
}

function measure(one: BenchCase): Measured {
  const bench = new Benchmark(one.name, one.fn, { maxTime: 0.5, minSamples: 5 });
  bench.run({ async: false });
  if (bench.error) throw new Error(`${one.name} failed`, { cause: bench.error });
  return {
    operationsPerSecond: bench.hz * (one.operations ?? 1),
    marginPercent: bench.stats.rme,
  };
}
