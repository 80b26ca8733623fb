import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { EntityLookup } from '../../../src/config/lookup.js';
import { hashSecret, secretMatches } from '../../../src/config/secret-hash.js';
import { load, report } from './harness.js';

const head = '_format_version: "3.0"\n';
const consumers = `${head}consumers:
- username: jo
  custom_id: "7"
  keyauth_credentials:
  - key: jos-key
  - {}
  basicauth_credentials:
  - username: joseph
    password: pass
  hmacauth_credentials:
  - username: joh
  jwt_secrets:
  - key: issuer
    secret: s
  acls:
  - group: staff
  - group: admin
  oauth2_credentials:
  - name: app
    client_id: abc
    client_secret: hidden
    hash_secret: true
    oauth2_tokens:
    - access_token: token
      expires_in: 100
- username: bob
keyauth_credentials:
- consumer: bob
  key: bobs-key
  ttl: 10
  created_at: 1000
`;

describe('credentials', () => {
  const snapshot = load(consumers);
  const lookup = new EntityLookup(snapshot);

  test('are found by their unique fields, with their consumer', () => {
    expect(lookup.find('keyauth_credentials', 'key', 'jos-key')?.consumer.username).toBe('jo');
    expect(lookup.find('basicauth_credentials', 'username', 'joseph')?.consumer.custom_id).toBe(
      '7',
    );
    expect(lookup.find('jwt_secrets', 'key', 'issuer')).toMatchObject({ algorithm: 'HS256' });
    expect(lookup.find('oauth2_tokens', 'access_token', 'token')?.credential.client_id).toBe('abc');
    expect(lookup.find('keyauth_credentials', 'key', 'other')).toBeNull();
    expect(lookup.consumer('custom_id', '7')?.username).toBe('jo');
  });

  test('are listed by consumer', () => {
    const jo = lookup.consumer('username', 'jo');
    const groups = lookup.ofConsumer('acls', jo?.id ?? '').map((acl) => acl.group);
    expect(groups).toEqual(['staff', 'admin']);
    expect(lookup.ofConsumer('acls', 'nobody')).toEqual([]);
  });

  test('end with their ttl', () => {
    const find = (nowMs: number) =>
      lookup.find('keyauth_credentials', 'key', 'bobs-key', nowMs)?.consumer.username;
    expect(find(1_009_999)).toBe('bob');
    expect(find(1_010_000)).toBeUndefined();
  });

  test('get random secrets where they are left out', () => {
    const [, auto] = snapshot.credentials.keyauth_credentials;
    expect(auto.key).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(snapshot.credentials.hmacauth_credentials[0].secret).toMatch(/^[A-Za-z0-9]{32}$/);
  });

  test('keep passwords and secrets as hashes', () => {
    const [basic] = snapshot.credentials.basicauth_credentials;
    const hash = createHash('sha1').update(`pass${basic.consumer.id}`).digest('hex');
    expect(basic.password).toBe(hash);
    const [app] = snapshot.credentials.oauth2_credentials;
    expect(app.client_secret).toMatch(/^\$pbkdf2-sha512\$i=10000,l=32\$/);
    expect(secretMatches(app.client_secret ?? '', 'hidden')).toBe(true);
    expect(secretMatches(app.client_secret ?? '', 'Hidden')).toBe(false);
  });

  test('are stored as given with _transform: false', () => {
    const text = consumers.replace('\nconsumers', '\n_transform: false\nconsumers');
    expect(load(text).credentials.basicauth_credentials[0].password).toBe('pass');
  });

  test('a hash is not hashed again', () => {
    const hash = hashSecret('x');
    expect(hashSecret(hash)).toBe(hash);
    expect(secretMatches('plain', 'plain')).toBe(true);
  });

  test.each([
    ['a key twice', 'keyauth_credentials: [{consumer: jo, key: k}, {consumer: jo, key: k}]', '***'],
    ['no consumer', 'keyauth_credentials: [{key: k}]', 'consumer: required field missing'],
    ['another consumer', 'acls: [{consumer: al, group: g}]', "invalid reference 'consumer: al'"],
    ['a group twice', 'acls: [{consumer: jo, group: g}, {consumer: jo, group: g}]', 'acls'],
    ['no username', 'basicauth_credentials: [{consumer: jo, password: p}]', 'username: required'],
    ['no public key', 'jwt_secrets: [{consumer: jo, algorithm: RS256}]', 'rsa_public_key'],
    [
      'a broken public key',
      'jwt_secrets: [{consumer: jo, algorithm: PS512, rsa_public_key: x}]',
      'invalid key',
    ],
    [
      'a fragment',
      'oauth2_credentials: [{consumer: jo, name: n, redirect_uris: ["http://a/#b"]}]',
      'fragment not allowed',
    ],
  ])('refuses %s', (_, line, text) => {
    const problems = report(`${head}consumers: [{username: jo}]\n${line}`);
    expect(problems.join('\n')).toContain(text);
  });
});

describe('consumer groups', () => {
  test.each([
    ['flat', 'consumer_group_consumers: [{consumer: jo, consumer_group: gold}]', ''],
    ['in the consumer', '', '  groups: [{name: gold}]\n'],
    ['by name in the consumer', '', '  groups: [gold]\n'],
    ['in the group', 'consumer_groups: [{name: gold, consumers: [{username: jo}]}]', ''],
  ])('membership %s', (_, line, nested) => {
    const groups = line.startsWith('consumer_groups:') ? '' : 'consumer_groups: [{name: gold}]\n';
    const snapshot = load(`${head}consumers:\n- username: jo\n${nested}${groups}${line}`);
    const lookup = new EntityLookup(snapshot);
    const jo = lookup.consumer('username', 'jo');
    expect(lookup.groupsOf(jo?.id ?? '').map((group) => group.name)).toEqual(['gold']);
  });

  test('are listed by name', () => {
    const names = '[{name: silver}, {name: gold}]';
    const snapshot = load(
      `${head}consumer_groups: ${names}\nconsumers: [{username: jo, groups: [silver, gold]}]`,
    );
    const [jo] = snapshot.consumers;
    const groups = new EntityLookup(snapshot).groupsOf(jo.id).map((group) => group.name);
    expect(groups).toEqual(['gold', 'silver']);
  });

  test('a membership names both sides', () => {
    expect(report(`${head}consumers: [{username: jo, groups: [gold]}]`).join()).toContain(
      "invalid reference 'consumer_group: gold' (no such entry in 'consumer_groups')",
    );
  });
});
