/** key-auth, basic-auth, hmac-auth, acl. */
import { createHmac } from 'node:crypto';
import type { Scenario } from '../../support/scenario.js';
import { ask, errorBody, host, plugin, scenario } from './build.js';

const id = '3a5abebc-6332-414b-854b-c39b3b156336';
const bob = { id, username: 'bob', keyauth_credentials: [{ key: 'k-bob' }] };
const anon = { username: 'nobody', custom_id: 'c-nobody' };
const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

const keyAuth = (config: object) => ({ plugins: [plugin('key-auth', config)], consumers: [bob] });
const refusedKey = (text: string, challenge = 'Key') => ({
  status: 401,
  headers: { 'www-authenticate': challenge },
  ...errorBody(text),
});
const passedAs = (user: string, rest: object = {}) => ({
  status: 200,
  upstream_saw: { headers: { 'x-consumer-username': user, ...rest } },
});

const keys: Scenario[] = [
  scenario(
    'unknown and empty keys',
    keyAuth({}),
    ask({ headers: { apikey: 'x' } }, refusedKey('Unauthorized')),
    ask({ path: '/p?apikey=' }, refusedKey('No API key found in request')),
    ask({ path: '/p?apikey' }, refusedKey('No API key found in request')),
    ask({ path: '/p?APIKEY=k-bob' }, refusedKey('No API key found in request')),
  ),
  scenario(
    'realm in every refusal',
    keyAuth({ realm: 'r' }),
    ask({}, refusedKey('No API key found in request', 'Key realm="r"')),
    ask({ headers: { apikey: 'x' } }, refusedKey('Unauthorized', 'Key realm="r"')),
  ),
  scenario(
    'names of headers are equal with underscores',
    keyAuth({ key_names: ['x-api-key'] }),
    ask({ headers: { X_Api_Key: 'k-bob' } }, passedAs('bob')),
  ),
  scenario(
    'a form field, hidden, with the rest kept',
    keyAuth({ key_in_body: true, hide_credentials: true }),
    ask(
      { method: 'POST', headers: form, body: 'a=1&apikey=k-bob&b=2' },
      { status: 200, upstream_saw: { body: 'a=1&b=2' } },
    ),
  ),
  scenario(
    'a JSON member, hidden',
    keyAuth({ key_in_body: true, hide_credentials: true }),
    ask(
      { method: 'POST', headers: json, body: '{"apikey":"k-bob","a":1}' },
      { status: 200, upstream_saw: { body_json_equals: { a: 1 } } },
    ),
  ),
  scenario(
    'a body of another type holds no key',
    keyAuth({ key_in_body: true }),
    ask(
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'apikey=k-bob' },
      refusedKey('No API key found in request'),
    ),
    ask({}, refusedKey('No API key found in request')),
  ),
  scenario(
    'a repeated form field',
    keyAuth({ key_in_body: true }),
    ask(
      { method: 'POST', headers: form, body: 'apikey=k-bob&apikey=k-bob' },
      refusedKey('Duplicate API key found'),
    ),
  ),
  scenario(
    'hiding takes header and argument of one name, and keeps the order of others',
    keyAuth({ hide_credentials: true }),
    ask(
      { path: '/p?z=1&apikey=k-bob&a=2', headers: { apikey: 'k-bob' } },
      { status: 200, upstream_saw: { path: '/p?z=1&a=2', headers: { apikey: null } } },
    ),
  ),
  scenario(
    'key_in_header off',
    keyAuth({ key_in_header: false }),
    ask({ headers: { apikey: 'k-bob' } }, refusedKey('No API key found in request')),
    ask({ path: '/p?apikey=k-bob' }, passedAs('bob')),
  ),
  scenario(
    'anonymous by id; identity headers of the client are replaced',
    {
      plugins: [plugin('key-auth', { anonymous: id })],
      consumers: [{ id, username: 'nobody' }],
    },
    ask(
      { headers: { 'x-consumer-custom-id': 'evil', 'x-credential-identifier': 'evil' } },
      passedAs('nobody', {
        'x-consumer-custom-id': null,
        'x-credential-identifier': null,
        'x-anonymous-consumer': 'true',
      }),
    ),
  ),
];

const users = {
  plugins: [plugin('basic-auth', { hide_credentials: true })],
  consumers: [{ username: 'bob', basicauth_credentials: [{ username: 'u', password: 'p:q' }] }],
};
const refusedUser = {
  status: 401,
  headers: { 'www-authenticate': 'Basic realm="service"' },
  ...errorBody('Unauthorized'),
};

const basics: Scenario[] = [
  scenario(
    'a password with a colon, hidden',
    users,
    ask(
      { headers: { authorization: basic('u:p:q') } },
      passedAs('bob', { authorization: null, 'x-credential-identifier': 'u' }),
    ),
    ask({ headers: { authorization: basic('u:p') } }, refusedUser),
    ask({ headers: { authorization: basic('u') } }, refusedUser),
    ask({ headers: { authorization: 'Basic !!!' } }, refusedUser),
  ),
  scenario(
    'an unknown user of Proxy-Authorization gives way to Authorization',
    users,
    ask(
      { headers: { 'proxy-authorization': basic('x:y'), authorization: basic('u:p:q') } },
      passedAs('bob', { authorization: null }),
    ),
    ask(
      { headers: { 'proxy-authorization': basic('u:no'), authorization: basic('u:p:q') } },
      refusedUser,
    ),
  ),
];

function signed(algorithm: string, lines: string, names: string): Record<string, string> {
  const signature = createHmac(algorithm, 's3cret').update(lines).digest('base64');
  const parts = { username: 'u', algorithm: `hmac-${algorithm}`, headers: names, signature };
  const text = Object.entries(parts).map(([name, value]) => `${name}="${value}"`);
  return { date, authorization: `hmac ${text.join(', ')}` };
}

const date = 'Thu, 22 Jun 2023 10:00:00 GMT';
const hmac = (config: object = {}) => ({
  plugins: [plugin('hmac-auth', { clock_skew: 1e10, ...config })],
  consumers: [{ username: 'bob', hmacauth_credentials: [{ username: 'u', secret: 's3cret' }] }],
});
const refusedHmac = (text: string, challenge = 'hmac') => ({
  status: 401,
  headers: { 'www-authenticate': challenge },
  ...errorBody(text),
});
const unverified = 'HMAC signature cannot be verified';
const noDate = `${unverified}, a valid date or x-date header is required for HMAC Authentication`;

const hmacs: Scenario[] = [
  scenario(
    'every algorithm',
    hmac(),
    ...['sha1', 'sha256', 'sha384', 'sha512'].map((algorithm) =>
      ask(
        { headers: signed(algorithm, `date: ${date}`, 'date') },
        passedAs('bob', { 'x-credential-identifier': 'u' }),
      ),
    ),
    ask({ headers: signed('md5', `date: ${date}`, 'date') }, refusedHmac(unverified)),
  ),
  scenario(
    'request line, request target, absent headers and the host',
    hmac({ hide_credentials: true }),
    ask(
      {
        path: '/a%20b?x=1',
        headers: signed(
          'sha256',
          `GET /a%20b?x=1 HTTP/1.1\n@request-target: get /a%20b?x=1\nx-none:\nhost: ${host}`,
          'request-line @request-target x-none host',
        ),
      },
      passedAs('bob', { authorization: null }),
    ),
  ),
  scenario(
    'the clock, the date and the realm',
    hmac({ clock_skew: 300, realm: 'r' }),
    ask(
      { headers: signed('sha256', `date: ${date}`, 'date') },
      refusedHmac(noDate, 'hmac realm="r"'),
    ),
    ask({}, refusedHmac('Unauthorized', 'hmac realm="r"')),
  ),
  scenario(
    'enforced headers are case-sensitive and must be signed',
    hmac({ enforce_headers: ['date', 'x-a'] }),
    ask({ headers: signed('sha256', `date: ${date}`, 'date') }, refusedHmac(unverified)),
    ask(
      { headers: { ...signed('sha256', `date: ${date}\nx-a: 1`, 'date x-a'), 'x-a': '1' } },
      passedAs('bob'),
    ),
    ask(
      { headers: { ...signed('sha256', `date: ${date}\nX-A: 1`, 'date X-A'), 'x-a': '1' } },
      refusedHmac(unverified),
    ),
  ),
  scenario(
    'a body needs a digest, none does not',
    hmac({ validate_request_body: true }),
    ask(
      { method: 'POST', body: 'x', headers: signed('sha256', `date: ${date}`, 'date') },
      refusedHmac('HMAC signature does not match'),
    ),
    ask({ headers: signed('sha256', `date: ${date}`, 'date') }, passedAs('bob')),
  ),
  scenario(
    'another header of the two stays',
    hmac({ hide_credentials: true }),
    ask(
      { headers: { ...signed('sha256', `date: ${date}`, 'date'), 'proxy-authorization': 'x' } },
      passedAs('bob', { authorization: null }),
    ),
  ),
];

const grouped = (config: object, consumer: object = {}) => ({
  plugins: [plugin('key-auth'), plugin('acl', config)],
  consumers: [{ ...bob, ...consumer }],
});
const withKey = { headers: { apikey: 'k-bob', 'x-consumer-groups': 'admin' } };

const acls: Scenario[] = [
  scenario(
    'deny: somebody without groups passes, and claims none',
    grouped({ deny: ['bad'] }),
    ask(withKey, { status: 200, upstream_saw: { headers: { 'x-consumer-groups': '' } } }),
  ),
  scenario(
    'all groups are told, unless hidden',
    grouped({ allow: ['b'] }, { acls: [{ group: 'a' }, { group: 'b' }] }),
    ask(withKey, { status: 200, upstream_saw: { headers: { 'x-consumer-groups': 'a, b' } } }),
  ),
  scenario(
    'refusals',
    grouped({ allow: ['z'] }, { acls: [{ group: 'a' }] }),
    ask(withKey, { status: 403, ...errorBody('You cannot consume this service') }),
  ),
  scenario(
    'nobody at all',
    { plugins: [plugin('acl', { deny: ['z'] })] },
    ask({}, { status: 401, headers: { 'www-authenticate': null }, ...errorBody('Unauthorized') }),
  ),
  scenario(
    'an anonymous consumer without group',
    {
      plugins: [plugin('key-auth', { anonymous: 'nobody' }), plugin('acl', { allow: ['a'] })],
      consumers: [anon],
    },
    ask({}, { status: 401, ...errorBody('Unauthorized') }),
  ),
];

export const authenticationDetails: readonly Scenario[] = [...keys, ...basics, ...hmacs, ...acls];
