/** Tokens that are remembered as signed: what that does not excuse, and how many there are. */
import { expect, test } from 'vitest';
import { limits } from '../../../src/limits.js';
import { readToken, type Token } from '../../../src/plugin/builtin/jwt/token.js';
import { findVerified, keepVerified } from '../../../src/plugin/builtin/jwt/verified.js';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const textOf = (iss: string) => `${part({ alg: 'HS256' })}.${part({ iss })}.c2ln`;
const key = Buffer.from('secret');
const keep = (text: string) => keepVerified(text, readToken(text) as Token, key);

test('a text is found with its key, and with the latest of several', () => {
  const text = textOf('one');
  expect(findVerified(text)).toBeUndefined();
  keep(text);
  expect(findVerified(text)?.key).toBe(key);
  expect(findVerified(text)?.token.claims).toEqual({ iss: 'one' });
  const other = Buffer.from('secret');
  keepVerified(text, readToken(text) as Token, other);
  expect(findVerified(text)?.key).toBe(other);
  expect(findVerified(`${text}A`)).toBeUndefined();
});

test('the oldest go where there are too many, and long ones are not kept', () => {
  const first = textOf('first');
  keep(first);
  for (let i = 1; i < limits.verifiedTokens.value; i++) keep(textOf(`more-${i}`));
  expect(findVerified(first)).toBeDefined();
  keep(textOf('the last'));
  expect(findVerified(first)).toBeUndefined();
  expect(findVerified(textOf('the last'))).toBeDefined();
  const long = textOf('x'.repeat(limits.verifiedTokenBytes.value));
  keep(long);
  expect(findVerified(long)).toBeUndefined();
});
