import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { jsonSchema } from '../../../src/config/schema/json-schema.js';
import { plugins } from './harness.js';

const options = { strict: true, strictRequired: false, allowUnionTypes: true };
const validate = new Ajv2020(options).compile(jsonSchema(plugins));
const accepts = (body: object) => validate({ _format_version: '3.0', ...body });

describe('the JSON Schema', () => {
  test.each<[string, object]>([
    ['nothing', {}],
    ['null', { services: null }],
    ['url', { services: [{ name: 'a', url: 'http://h', routes: [{ paths: ['/'] }] }] }],
    ['references to the environment', { services: [{ host: '${H}', port: '${P:-80}' }] }],
    ['references between entities', { routes: [{ paths: ['/'], service: { name: 'a' } }] }],
    ['regular expressions', { routes: [{ paths: ['~/a\\d'], expression: null }] }],
    ['plugins', { plugins: [{ name: 'request-termination', config: { status_code: 200 } }] }],
    ['notes', { _comment: 'x', _ignore: [], consumers: [{ username: 'a', _comment: 'x' }] }],
  ])('accepts %s', (_name, body) => {
    expect([accepts(body), validate.errors]).toEqual([true, null]);
  });

  test.each<[string, object]>([
    ['unknown collections', { servces: [] }],
    ['unknown fields', { services: [{ host: 'h', prot: 'http' }] }],
    ['missing hosts', { services: [{ name: 'a' }] }],
    ['numbers as text', { services: [{ host: 'h', port: '80' }] }],
    ['numbers out of range', { services: [{ host: 'h', port: 65536 }] }],
    ['other values of an enumeration', { services: [{ host: 'h', protocol: 'htp' }] }],
    ['paths without a slash', { routes: [{ paths: ['x'] }] }],
    ['null elements', { routes: [{ paths: [null] }] }],
    ['consumers without a name', { consumers: [{}] }],
    ['unknown plugins', { plugins: [{ name: 'nope' }] }],
    ['bad plugin configs', { plugins: [{ name: 'shipper', config: { endpoint: 1 } }] }],
    ['numeric versions', { _format_version: 3 }],
  ])('refuses %s', (_name, body) => {
    expect(accepts(body)).toBe(false);
  });
});

test('without plugins any name and config passes', () => {
  const open = new Ajv2020(options).compile(jsonSchema());
  expect(open({ _format_version: '3.0', plugins: [{ name: 'x', config: { y: 1 } }] })).toBe(true);
});
