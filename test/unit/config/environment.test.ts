import { describe, expect, test } from 'vitest';
import { interpolate } from '../../../src/config/interpolate.js';
import { kongError } from '../../../src/config/kong-error.js';
import { load, problemsOf, report } from './harness.js';

const ref = (name: string) => `\${${name}}`;
const head = '_format_version: "3.0"\n';

describe('interpolate', () => {
  test.each([
    [`a${ref('A')}b`, 'a1b'],
    [`${ref('A')}${ref('A')}`, '11'],
    [ref('NONE:-x'), 'x'],
    [ref('NONE:-'), ''],
    [ref('EMPTY:-x'), 'x'],
    [ref('EMPTY'), ''],
    [ref('A:-x'), '1'],
    [`$${ref('A')}`, ref('A')],
    ['$A {A} $', '$A {A} $'],
    [ref('NESTED'), ref('A')],
    [ref('NONE:-http://h:1/'), 'http://h:1/'],
  ])('%s', (source, expected) => {
    const env = { A: '1', EMPTY: '', NESTED: ref('A') };
    expect(interpolate(source, env)).toEqual({ text: expected, faults: [] });
  });

  test('a variable that is not set is named', () => {
    expect(interpolate(`${ref('A')}${ref('B')}`, {}).faults).toEqual([
      "environment variable 'A' is not set and has no default",
      "environment variable 'B' is not set and has no default",
    ]);
  });

  test.each(['a-b', '', 'A-x', '1'])('a reference of a wrong form: %j', (name) => {
    expect(interpolate(ref(name), { A: '1' }).faults).toHaveLength(1);
  });

  test('names of object methods are not variables', () => {
    expect(interpolate(ref('constructor'), {}).faults).toHaveLength(1);
  });
});

describe('the environment in a configuration', () => {
  const env = { HOST: 'up.test', PORT: '8081', ON: 'false', SECRET: 'UPPER-CASE SECRET' };

  test('strings become what their field wants', () => {
    const text = `${head}services:
- name: a
  host: ${ref('HOST')}
  port: ${ref('PORT')}
  enabled: "${ref('ON')}"
  path: /${ref('PORT')}`;
    expect(load(text, { env }).services[0]).toMatchObject({
      host: 'up.test',
      port: 8081,
      enabled: false,
      path: '/8081',
    });
  });

  test('names, references and shorthands take part', () => {
    const text = `${head}services:
- name: ${ref('HOST')}
  url: http://${ref('HOST')}:${ref('PORT')}/x
  routes: [{paths: ['/${ref('PORT')}']}]
plugins:
- name: request-termination
  service: ${ref('HOST')}
  config: {status_code: '${ref('CODE:-418')}'}`;
    const { plugins, routes, services } = load(text, { env });
    expect(services[0]).toMatchObject({ host: 'up.test', port: 8081, path: '/x' });
    expect(routes[0].paths).toEqual(['/8081']);
    expect(plugins[0].service).toBe(services[0]);
    expect(plugins[0].config.status_code).toBe(418);
  });

  test('a missing variable is one problem, at its place', () => {
    const text = `${head}services:\n- name: a\n  host: ${ref('NONE')}\n  port: ${ref('NONE')}`;
    expect(report(text, { env })).toEqual([
      "4:9: environment variable 'NONE' is not set and has no default",
      "5:9: environment variable 'NONE' is not set and has no default",
    ]);
  });

  test('without an environment, references are ordinary text', () => {
    const text = `${head}plugins:\n- name: request-termination\n  config: {message: '${ref('A')}'}`;
    expect(load(text).plugins[0].config.message).toBe(ref('A'));
  });

  test('no message and no answer shows a value', () => {
    const secret = ref('SECRET');
    const text = `${head}services:
- name: ${secret}
  host: ${secret}
  port: ${secret}
  protocol: ${secret}
  tags: ['${secret},']
- name: ${secret}
  url: ${secret}
- name: x
  url: http://${secret}
routes:
- paths: ['${secret}', '/a//${secret}', '~/(${secret}']
  hosts: ['${secret}']
  service: none${secret}
plugins:
- name: ${secret}
- name: shipper
  config: {endpoint: '${secret}', secret: '${secret}'}`;
    const problems = problemsOf(text, { env });
    expect(problems.length).toBeGreaterThan(12);
    const answers = [problems, kongError(problems), kongError(problems, { flatten: true })];
    expect(JSON.stringify(answers)).not.toMatch(/UPPER-CASE|SECRET SECRET/);
    expect(JSON.stringify(answers)).toContain(secret);
  });
});
