import { expect, test } from 'vitest';
import { kongError } from '../../../src/config/kong-error.js';
import { problemsOf } from './harness.js';

const problems = problemsOf(`_format_version: "3.0"
servces: []
services:
- name: good
  host: h
- name: bad
  id: 5fa7e5a1-1b6c-4f7a-9a51-b3d5a0f5c001
  tags: [x]
  retries: -1
  protocol: tcp
  host: h
  path: /x
  routes:
  - name: r
    paths: [/, x]
    headers: {__proto__: 1}`);

test('fields mirror the document, with nulls for what is sound', () => {
  const error = kongError(problems);
  expect(JSON.parse(JSON.stringify(error))).toEqual({
    code: 14,
    name: 'invalid declarative configuration',
    message: expect.stringMatching(/^declarative config is invalid: \{servces="unknown field",/),
    fields: {
      servces: 'unknown field',
      services: [
        null,
        {
          '@entity': ["failed conditional validation given value of field 'protocol'"],
          retries: 'value should be between 0 and 32767',
          path: 'value must be null',
          routes: [
            {
              paths: [null, 'should start with: / (fixed path) or ~/ (regexed path)'],
              headers: JSON.parse('{"__proto__":"expected an array"}'),
            },
          ],
        },
      ],
    },
  });
});

test('the flattened form lists errors by entity', () => {
  const error = kongError(problems, { flatten: true });
  expect(error.fields).toEqual({ servces: 'unknown field' });
  expect(error.flattened_errors).toMatchObject([
    {
      entity_type: 'service',
      entity_id: '5fa7e5a1-1b6c-4f7a-9a51-b3d5a0f5c001',
      entity_name: 'bad',
      entity_tags: ['x'],
      entity: { name: 'bad', retries: -1, path: '/x' },
      errors: [
        { type: 'entity', message: expect.stringMatching(/^failed conditional/) },
        { type: 'field', field: 'retries', message: 'value should be between 0 and 32767' },
        { type: 'field', field: 'path', message: 'value must be null' },
      ],
    },
    {
      entity_type: 'route',
      entity_name: 'r',
      errors: [
        { type: 'field', field: 'paths.2', message: expect.stringMatching(/^should start/) },
        { type: 'field', field: 'headers.__proto__', message: 'expected an array' },
      ],
    },
  ]);
});

test('a text that is no document', () => {
  const error = kongError(problemsOf('{"a":', { format: 'json' }));
  const text = 'failed parsing declarative configuration: unexpected end of JSON';
  expect(error.fields).toEqual({ error: text });
  expect(error.message).toBe(`declarative config is invalid: {error="${text}"}`);
});
