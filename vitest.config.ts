import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** `VITEST_SUITE=fuzz|soak` runs the long suites, which the default run leaves out. */
const suite = process.env.VITEST_SUITE;
const long = suite === 'fuzz' || suite === 'soak';

/** Suites that drive the core directly: they run on the checked and debug builds as well. */
const coreSuites = [
  'test/unit/{core,http,proxy,queue,router}/**/*.test.ts',
  'test/hostile/**/*.test.ts',
];

const project = (name: string, include: string[], exclude: string[] = []) => ({
  extends: true as const,
  test: { name, include, exclude, env: { HEADGATE_CORE: name } },
});

/** Suites over real sockets: they run on the native driver as well, where it is built. */
const nativeSuites = [
  'test/e2e/**/*.test.ts',
  'test/hostile/{requests,responses}.test.ts',
  'test/native/**/*.test.ts',
];
/** Of those, the slow ones that say nothing about a driver. */
const driverless = [
  'test/e2e/{log-*,metric-*,trace-*,filter-examples,workshop,schemas,queue-example}.test.ts',
];
const nativeProject = {
  extends: true as const,
  test: {
    name: 'native',
    include: nativeSuites,
    exclude: driverless,
    env: { HEADGATE_TEST_DRIVER: 'native' },
  },
};
/** What a driver must do, on the public way of the net driver: where bare handles do not serve. */
const publicProject = {
  extends: true as const,
  test: {
    name: 'public',
    include: [
      'test/e2e/{bodies,descriptors,drain,hostile-clients,lifecycle,sockets}.test.ts',
      'test/hostile/{requests,responses}.test.ts',
      'test/unit/driver/choose.test.ts',
    ],
    env: { HEADGATE_TEST_NET_HANDLES: 'off' },
  },
};
const native = existsSync(new URL('./build/native/headgate.node', import.meta.url))
  ? [nativeProject]
  : [];

const all = ['test/**/*.test.ts'];
const chosen = process.env.HEADGATE_CORE;

export default defineConfig({
  test: {
    pool: 'forks',
    // Two cores: more workers than that only make timing-dependent figures noisier.
    maxWorkers: 2,
    testTimeout: long ? 1_800_000 : 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    projects: long
      ? [project(chosen ?? 'release', [`test/${suite}/**/*.test.ts`])]
      : chosen
        ? [
            project(chosen, all, ['test/fuzz/**', 'test/soak/**', 'test/native/**']),
            publicProject,
            ...native,
          ]
        : [
            project('release', all, ['test/fuzz/**', 'test/soak/**', 'test/native/**']),
            publicProject,
            ...native,
            project('checked', coreSuites),
            project('debug', coreSuites),
          ],
  },
});
