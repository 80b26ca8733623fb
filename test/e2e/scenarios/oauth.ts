/** oauth2: tokens of the configuration, and the two endpoints over TLS. */
import type { Scenario } from '../../support/scenario.js';
import { ask, plugin, scenario } from './build.js';

const credentialId = '99d7705b-4bd5-4ee0-8669-a9947d30382e';
const app = {
  id: credentialId,
  name: 'app',
  client_id: 'cid',
  client_secret: 'sec',
  redirect_uris: ['https://app.example/cb?x=1'],
};
const grants = {
  enable_authorization_code: true,
  enable_implicit_grant: true,
  enable_client_credentials: true,
  enable_password_grant: true,
  provision_key: 'pk',
};
const setup = (config: object = {}, tokens: readonly object[] = [], client: object = {}) => ({
  plugins: [plugin('oauth2', { ...grants, ...config })],
  consumers: [{ username: 'bob', oauth2_credentials: [{ ...app, ...client }] }],
  more: {
    oauth2_tokens: tokens.map((token) => ({
      credential: credentialId,
      expires_in: 7200,
      token_type: 'bearer',
      ...token,
    })),
  },
});
const declared = { access_token: 'tok', service: '@SERVICE' };
const passed = (headers: object = {}, rest: object = {}) => ({
  status: 200,
  upstream_saw: { headers: { 'x-consumer-username': 'bob', ...headers }, ...rest },
});
const invalid = 'The access token is invalid or has expired';
const refused = (error: string, description: string, challenge: string | null) => ({
  status: 401,
  headers: { 'www-authenticate': challenge },
  body_json_equals: { error, error_description: description },
  upstream_saw: null,
});
const invalidToken = refused(
  'invalid_token',
  invalid,
  `Bearer error="invalid_token", error_description="${invalid}"`,
);
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const post = (endpoint: string, values: Record<string, string>, headers: object = {}) => ({
  method: 'POST',
  path: `/oauth2/${endpoint}`,
  tls: true,
  headers: { ...form, ...headers } as Record<string, string>,
  body: new URLSearchParams(values).toString(),
});
const failed = (error: string, description: string, status = 400, headers: object = {}) => ({
  status,
  headers: { 'cache-control': 'no-store', pragma: 'no-cache', ...headers },
  body_json_equals: { error, error_description: description },
});
const client = { client_id: 'cid', client_secret: 'sec' };
const basic = (text: string) => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
});

const resources: Scenario[] = [
  scenario(
    'where tokens may be',
    setup({}, [{ ...declared, scope: 'mail', authenticated_userid: 'u1' }]),
    ask(
      { headers: { authorization: 'tok' } },
      passed({
        'x-authenticated-scope': 'mail',
        'x-authenticated-userid': 'u1',
        'x-credential-identifier': 'cid',
      }),
    ),
    ask({ path: '/p?access_token=tok' }, passed()),
    ask({ method: 'POST', headers: form, body: 'access_token=tok' }, passed()),
    ask(
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"access_token":"tok"}',
      },
      passed(),
    ),
    ask({ path: '/p?access_token=tok', headers: { authorization: 'Basic x' } }, invalidToken),
    ask({ headers: { authorization: 'Bearer other' } }, invalidToken),
    ask({}, refused('invalid_request', 'The access token is missing', 'Bearer')),
  ),
  scenario(
    'another header, hidden',
    setup({ auth_header_name: 'x-auth', hide_credentials: true }, [declared]),
    ask(
      { headers: { 'x-auth': 'Bearer tok', authorization: 'Bearer x' } },
      passed({ 'x-auth': null, authorization: 'Bearer x' }),
    ),
    ask({ path: '/p?b=1&access_token=tok&a=2' }, passed({}, { path: '/p?b=1&a=2' })),
    ask(
      { method: 'POST', headers: form, body: 'a=1&access_token=tok' },
      passed({}, { body: 'a=1' }),
    ),
  ),
  scenario(
    'a global token needs global_credentials',
    setup({}, [{ access_token: 'tok' }]),
    ask(
      { headers: { authorization: 'Bearer tok' } },
      refused(
        'invalid_token',
        'The access token is global, but the current plugin is configured ' +
          "without 'global_credentials'",
        null,
      ),
    ),
  ),
  scenario(
    'global_credentials',
    setup({ global_credentials: true }, [{ access_token: 'tok' }]),
    ask({ headers: { authorization: 'Bearer tok' } }, passed()),
  ),
  scenario(
    'the endpoints take POST only',
    setup(),
    ask(
      { path: '/oauth2/token', tls: true },
      {
        status: 405,
        body_json_equals: {
          error: 'invalid_method',
          error_description: 'The HTTP method GET is invalid for the token endpoint',
        },
      },
    ),
    ask(
      { method: 'PUT', path: '/x/oauth2/authorize/', tls: true },
      {
        status: 405,
        body_json_equals: {
          error: 'invalid_method',
          error_description: 'The HTTP method PUT is invalid for the authorization endpoint',
        },
      },
    ),
  ),
];

const endpoints: Scenario[] = [
  scenario(
    'who asks for a token',
    setup(),
    ask(
      post('token', { grant_type: 'password', client_id: 'x' }),
      failed('invalid_client', 'Invalid client authentication', 400, { 'www-authenticate': null }),
    ),
    ask(
      post('token', { grant_type: 'password' }, basic('x:y')),
      failed('invalid_client', 'Invalid client authentication', 401, {
        'www-authenticate': 'Basic realm="OAuth2.0"',
      }),
    ),
    ask(
      post('token', { grant_type: 'client_credentials', client_id: 'x' }),
      failed('invalid_client', 'Invalid client authentication'),
    ),
    ask(
      post('token', { grant_type: 'client_credentials', ...client, client_secret: 'no' }),
      failed('invalid_client', 'Invalid client authentication'),
    ),
    ask(post('token', { grant_type: 'client_credentials' }, basic('cid:sec')), { status: 200 }),
    ask(
      post('token', { grant_type: 'magic', ...client }),
      failed('unsupported_grant_type', 'Invalid grant_type'),
    ),
    ask(
      post('token', { grant_type: 'password', ...client, redirect_uri: 'https://evil' }),
      failed(
        'invalid_request',
        'Invalid redirect_uri that does not match with any redirect_uri ' +
          'created with the application',
      ),
    ),
  ),
  scenario(
    'passwords, state and refresh',
    setup(),
    ask(
      post('token', { grant_type: 'password', ...client }),
      failed('invalid_provision_key', 'Invalid provision_key'),
    ),
    ask(
      post('token', { grant_type: 'password', ...client, provision_key: 'pk' }),
      failed('invalid_authenticated_userid', 'Missing authenticated_userid parameter'),
    ),
    ask(
      {
        ...post('token', {
          grant_type: 'password',
          ...client,
          provision_key: 'pk',
          authenticated_userid: 'u',
          state: 's',
        }),
        save: { r: 'refresh_token', t: 'access_token' },
      },
      { status: 200, body_json_subset: { state: 's', token_type: 'bearer', expires_in: 7200 } },
    ),
    ask({ headers: { authorization: 'Bearer {{t}}' } }, passed({ 'x-authenticated-userid': 'u' })),
    ask(
      {
        ...post('token', { grant_type: 'refresh_token', ...client }),
        body: 'grant_type=refresh_token&client_id=cid&client_secret=sec&refresh_token={{r}}',
      },
      { status: 200, body_json_subset: { refresh_token: { re: '^[A-Za-z0-9]{32}$' } } },
    ),
    ask({ headers: { authorization: 'Bearer {{t}}' } }, invalidToken),
    ask(
      post('token', { grant_type: 'refresh_token', ...client, refresh_token: 'x' }),
      failed('invalid_request', 'Invalid refresh_token'),
    ),
  ),
  scenario(
    'tokens for ever have no refresh',
    setup({ token_expiration: 0 }),
    ask(
      post('token', {
        grant_type: 'password',
        ...client,
        provision_key: 'pk',
        authenticated_userid: 'u',
      }),
      { status: 200, body_json_absent: ['expires_in', 'refresh_token'] },
    ),
  ),
  scenario(
    'the authorization endpoint tells the application',
    setup({ scopes: ['mail'], mandatory_scope: true }),
    ask(post('authorize', {}), failed('invalid_provision_key', 'Invalid provision_key')),
    ask(
      post('authorize', { provision_key: 'pk', authenticated_userid: ' ' }),
      failed('invalid_authenticated_userid', 'Missing authenticated_userid parameter'),
    ),
    ask(
      post('authorize', { provision_key: 'pk', authenticated_userid: 'u', client_id: 'x' }),
      failed('invalid_client', 'Invalid client authentication'),
    ),
    ask(
      post('authorize', {
        provision_key: 'pk',
        authenticated_userid: 'u',
        client_id: 'cid',
        response_type: 'code',
        state: 's',
      }),
      {
        status: 400,
        body_json_equals: {
          redirect_uri:
            'https://app.example/cb?error=invalid_scope&' +
            'error_description=You%20must%20specify%20a%20scope&state=s&x=1',
        },
      },
    ),
    ask(
      post('authorize', {
        provision_key: 'pk',
        authenticated_userid: 'u',
        client_id: 'cid',
        response_type: 'code',
        scope: 'mail',
      }),
      {
        status: 200,
        body_json_subset: {
          redirect_uri: { re: '^https://app\\.example/cb\\?code=[A-Za-z0-9]{32}&x=1$' },
        },
      },
    ),
    ask(
      post('authorize', {
        provision_key: 'pk',
        authenticated_userid: 'u',
        client_id: 'cid',
        response_type: 'magic',
        scope: 'mail',
      }),
      {
        status: 400,
        body_json_subset: { redirect_uri: { re: 'error=unsupported_response_type' } },
      },
    ),
    ask(
      post('authorize', {
        provision_key: 'pk',
        authenticated_userid: 'u',
        client_id: 'cid',
        response_type: 'code',
        scope: 'mail',
        code_challenge_method: 'S256',
      }),
      {
        status: 400,
        body_json_subset: { redirect_uri: { re: 'code_challenge%20is%20required%20when' } },
      },
    ),
  ),
  scenario(
    'public clients send no secret',
    setup({}, [], { client_type: 'public' }),
    ask(
      post('token', { grant_type: 'client_credentials', ...client }),
      failed('invalid_request', 'client_secret is disallowed for public clients'),
    ),
  ),
];

export const oauthDetails: readonly Scenario[] = [...resources, ...endpoints];
