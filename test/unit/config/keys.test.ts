/** Keys, key sets, workspaces, and codes of OAuth 2. */
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { load, report } from './harness.js';

const head = '_format_version: "3.0"\n';
const ofKeys = (keys: object) => `${head}key_sets: [{name: s}]\nkeys: ${JSON.stringify([keys])}`;
const pemOf = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    public_key: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
};

test('a key is a JWK with the same id, or a PEM pair', () => {
  const jwk = JSON.stringify({ kid: 'a', kty: 'oct', k: 'AA' });
  const { entities } = load(ofKeys({ set: 's', kid: 'a', jwk }));
  expect(Object.values(entities.keys ?? {})).toMatchObject([{ kid: 'a', jwk }]);
  expect(report(ofKeys({ kid: 'a', pem: pemOf() }))).toEqual([]);
});

test.each([
  [{ kid: 'b', jwk: '{"kid":"a"}' }, 'kid in jwk.kid must be equal to keys.kid'],
  [{ kid: 'b', jwk: 'x' }, 'could not json decode jwk string'],
  [{ kid: 'b' }, "exactly one of these fields must be non-empty: 'jwk', 'pem'"],
  [{ kid: 'b', pem: {} }, "at least one of these fields must be non-empty: 'private_key'"],
  [{ kid: 'b', pem: { public_key: 'x' } }, 'could not load the keys'],
  [
    { kid: 'b', pem: { ...pemOf(), public_key: pemOf().public_key } },
    'public key does not belong to private key',
  ],
  [{ kid: 'b', jwk: '{"kid":"b"}', set: 'none' }, "invalid reference 'set: none'"],
])('what is no key: %#', (key, message) => {
  expect(report(ofKeys(key)).join('\n')).toContain(message);
});

test('there is one workspace', () => {
  expect(report(`${head}workspaces: [{name: default}]`)).toEqual([]);
  expect(report(`${head}workspaces: [{name: other}]`).join()).toContain('expected one of: default');
});

test('codes belong to an application', () => {
  const consumers = 'consumers: [{username: u, oauth2_credentials: [{name: a, client_id: c}]}]';
  const codes = 'oauth2_authorization_codes: [{credential: c, code: x}, {code: y}]';
  expect(report(`${head}${consumers}\n${codes}`).join()).toContain('required field missing');
});
