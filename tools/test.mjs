/**
 * `npm test`: prepares the project, then formatting and lint, types, and the test suites.
 * `--suite fuzz` and `--suite soak` run the long ones instead; further arguments choose files.
 * The last line counts: every test, and the two checks, as one each.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildNative, obstacle } from './build-native.mjs';
import { binary, ensure, exitCode, say } from './setup.mjs';

const { values, positionals } = parseArgs({
  options: { suite: { type: 'string' } },
  allowPositionals: true,
});

const node = (...args) => exitCode(process.execPath, args);
const count = { passed: 0, failed: 0 };

async function check(label, command) {
  say(label);
  count[(await command()) === 0 ? 'passed' : 'failed']++;
}

/** The native driver's tests run where it can be built; where it cannot, the line says why. */
async function nativeDriver() {
  const reason = obstacle();
  if (reason) say(`the native driver is not tested: ${reason}`);
  else await buildNative();
}

async function suites() {
  say(`tests${values.suite ? ` of the ${values.suite} suite` : ''}`);
  const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  try {
    if (values.suite) process.env.VITEST_SUITE = values.suite;
    const code = await node(binary('vitest'), 'run', ...reporters, ...positionals);
    addReport(report, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Counts tests; a file that could not be loaded, or an unhandled error, counts as a failure. */
function addReport(path, code) {
  let result;
  try {
    result = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    count.failed++;
    return;
  }
  count.passed += result.numPassedTests;
  count.failed += result.numFailedTests;
  const broken = result.testResults.filter((file) => {
    return file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed');
  });
  count.failed += broken.length;
  if (code !== 0 && result.numFailedTests === 0 && broken.length === 0) count.failed++;
}

try {
  await ensure();
  await nativeDriver();
  if (!values.suite && positionals.length === 0) {
    await check('formatting and lint', () => node(binary('@biomejs/biome', 'biome'), 'check'));
    await check('types', () => node(binary('typescript', 'tsc'), '-p', 'tsconfig.test.json'));
  }
  await suites();
} catch (error) {
  say(error.message);
  count.failed++;
}
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed === 0 ? 0 : 1;
