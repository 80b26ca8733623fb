import { describe, expect, test } from 'vitest';
import { schemaOf } from '../../../src/config/entities.js';
import { loadConfig } from '../../../src/config/load.js';
import { validateRecord } from '../../../src/config/schema/validate.js';
import { schemaViolation } from '../../../src/config/violation.js';

/** What `POST /schemas/routes/validate` answers for a route, besides its code and name. */
function answerFor(route: object, flavor = 'traditional_compatible') {
  const schema = schemaOf('routes', { flavor, plugins: new Map(), pluginName: undefined });
  const { errors } = validateRecord(schema, { paths: ['/'], ...route });
  if (errors.length === 0) return null;
  const { message, fields } = schemaViolation(errors);
  // a gap in a list is sent as null
  return { message, fields: JSON.parse(JSON.stringify(fields)) };
}

const field = (name: string, text: unknown, shown = `${name}: ${text}`) => ({
  message: `schema violation (${shown})`,
  fields: { [name]: text },
});

describe('a wrong field of a route', () => {
  test.each<[object, string, string]>([
    [{ id: 'x' }, 'id', 'expected a valid UUID'],
    [{ name: 1 }, 'name', 'expected a string'],
    [{ protocols: 'http' }, 'protocols', 'expected a set'],
    [{ protocols: [] }, 'protocols', 'length must be at least 1'],
    [
      { https_redirect_status_code: 300 },
      'https_redirect_status_code',
      'expected one of: 426, 301, 302, 307, 308',
    ],
    [{ strip_path: 'yes' }, 'strip_path', 'expected a boolean'],
    [{ preserve_host: 1 }, 'preserve_host', 'expected a boolean'],
    [{ request_buffering: 'on' }, 'request_buffering', 'expected a boolean'],
    [{ response_buffering: null }, 'response_buffering', 'required field missing'],
    [{ regex_priority: '1' }, 'regex_priority', 'expected an integer'],
    [{ path_handling: 'v2' }, 'path_handling', 'expected one of: v0, v1'],
    [{ methods: 'GET' }, 'methods', 'expected a set'],
    [{ hosts: 'a.test' }, 'hosts', 'expected an array'],
    [{ paths: '/' }, 'paths', 'expected an array'],
    [{ headers: [['a', 'b']] }, 'headers', 'expected a map'],
    [{ snis: 'a.test' }, 'snis', 'expected a set'],
    [{ tags: 'x' }, 'tags', 'expected a set'],
    [{ pahts: ['/'] }, 'pahts', 'unknown field'],
  ])('%j', (route, name, text) => {
    expect(answerFor(route)).toEqual(field(name, text));
  });

  test.each<[object, string, string]>([
    [{ paths: ['/a', 'b'] }, 'paths', 'should start with: / (fixed path) or ~/ (regexed path)'],
    [{ paths: ['/a', '/b//c'] }, 'paths', 'must not have empty segments'],
    [{ paths: ['/a', '/%zz'] }, 'paths', "invalid url-encoded value: '%zz'"],
    [{ hosts: ['a.test', ''] }, 'hosts', 'length must be at least 1'],
    [{ methods: ['GET', 1] }, 'methods', 'expected a string'],
    [{ snis: ['a.test', '127.0.0.1'] }, 'snis', 'must not be an IP'],
  ])('an element of it: %j', (route, name, text) => {
    expect(answerFor(route)).toEqual(field(name, [null, text], `${name}.2: ${text}`));
  });

  test('several are sorted by name', () => {
    const { message } = answerFor({ strip_path: 1, name: 2 }) ?? {};
    expect(message).toBe(
      '2 schema violations (name: expected a string; strip_path: expected a boolean)',
    );
  });

  test('none of the criteria', () => {
    const text =
      "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'";
    expect(answerFor({ paths: null })).toEqual({
      message: `schema violation (${text})`,
      fields: { '@entity': [text] },
    });
  });

  test.each([
    ['traditional_compatible', { headers: { x: ['~*\\P{L}'] } }],
    ['expressions', { headers: { x: ['ok', '~*\\P{L}'] } }],
    ['traditional', { paths: ['~/a{4090}'] }],
  ])('a pattern that is none as the flavour %s reads it', (flavor, route) => {
    const { message } = answerFor(route, flavor) ?? {};
    expect(message).toMatch(/^schema violation \(Router Expression failed validation: .*column/);
  });

  test('an expression that is none', () => {
    const { message } = answerFor({ paths: null, expression: 'http.path ^' }, 'expressions') ?? {};
    expect(message).toContain('Router Expression failed validation:');
  });
});

test('the old name of a field in an expression gives a warning', () => {
  const warningsOf = (expression: string) => {
    const routes = [{ name: 'r', expression }];
    const text = JSON.stringify({ _format_version: '3.0', routes });
    const result = loadConfig({ text, pluginSchemas: new Map(), routerFlavor: 'expressions' });
    return result.ok ? result.warnings : result.problems;
  };
  expect(warningsOf('net.port == 80 && http.path == "/"')).toEqual([
    "route 'r': expression: net.port is deprecated, write net.dst.port",
  ]);
  expect(warningsOf('net.dst.port == 80')).toEqual([]);
});
