import { describe, expect, test } from 'vitest';
import { configSteps } from '../../../src/admin/body.js';
import { runSteps } from '../../../src/slices.js';

const yaml = '_format_version: "3.0"\nservices: []\n';
const json = '{"_format_version": "3.0", "services": []}';
const missing = { status: 400, message: 'expected a declarative configuration' };

const read = (body: string, type: string) => runSteps(configSteps(Buffer.from(body), type));

describe('the configuration in a POST /config body', () => {
  test.each([
    ['application/json', json, json, 'json'],
    ['application/json; charset=utf-8', json, json, 'json'],
    ['', json, json, 'json'],
    ['text/yaml', yaml, yaml, 'yaml'],
    ['application/yaml', yaml, yaml, 'yaml'],
    ['application/json', JSON.stringify({ config: yaml }), yaml, 'yaml'],
    ['application/x-www-form-urlencoded', `config=${encodeURIComponent(yaml)}`, yaml, 'yaml'],
  ])('%s', (type, body, text, format) => {
    expect(read(body, type)).toEqual({ text, format, options: {} });
  });

  test('multipart as curl -F sends it', () => {
    const body = [
      '--bound',
      'Content-Disposition: form-data; name="config"; filename="kong.yml"',
      'Content-Type: application/octet-stream',
      '',
      yaml,
      '--bound',
      'Content-Disposition: form-data; name="check_hash"',
      '',
      '1',
      '--bound--',
      '',
    ].join('\r\n');
    const type = 'multipart/form-data; boundary=bound';
    expect(read(body, type)).toEqual({ text: yaml, format: 'yaml', options: { check_hash: '1' } });
  });

  test('options beside the document are no part of it', () => {
    const body = '{"_format_version":"3.0","check_hash":1,"flatten_errors":true}';
    const result = read(body, 'application/json');
    expect(result).toMatchObject({ options: { check_hash: '1', flatten_errors: 'true' } });
    expect(result).toMatchObject({ text: '{"_format_version":"3.0"}' });
  });

  test.each([
    ['nothing', ''],
    ['an empty object', '{}'],
    ['options alone', '{"check_hash":1}'],
    ['an array', '[]'],
    ['null', 'null'],
  ])('%s is no configuration', (_, body) => {
    expect(read(body, 'application/json')).toEqual(missing);
  });

  test('broken JSON, too many arguments and unknown types are told apart', () => {
    expect(read('{', 'application/json')).toMatchObject({ message: 'Cannot parse JSON body' });
    const form = 'a=1&'.repeat(1001);
    expect(read(form, 'application/x-www-form-urlencoded')).toMatchObject({
      message: 'Too many arguments',
    });
    expect(read(json, 'text/plain')).toEqual({ status: 415 });
  });

  test('a configuration nested too deeply to be written again is refused', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(read(`{"config":${deep}}`, 'application/json')).toEqual({
      status: 400,
      message: 'the configuration is nested too deeply',
    });
  });
});
