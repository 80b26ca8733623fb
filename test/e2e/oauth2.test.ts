/** The flows of oauth2, behind a proxy that has ended TLS. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { startGateway, startUpstream } from '../support/gateway.js';

const address = 'https://app.example/cb?a=b';

const applications = [
  { name: 'app', client_id: 'app', client_secret: 'secret', redirect_uris: [address] },
  { name: 'spa', client_id: 'spa', client_type: 'public', redirect_uris: ['https://spa.example'] },
];

async function server(config: object) {
  const upstream = await startUpstream();
  const own = { provision_key: 'key', accept_http_if_already_terminated: true, ...config };
  const plugins = [{ name: 'oauth2', config: own }];
  const { proxy } = await startGateway({
    settings: { trusted_ips: '127.0.0.1' },
    config: {
      _format_version: '3.0',
      services: [{ name: 'one', url: upstream.url, routes: [{ paths: ['/'], plugins }] }],
      consumers: [{ username: 'ann', oauth2_credentials: applications }, { username: 'nobody' }],
    },
  });
  const post = async (end: string, values: Record<string, string>, headers = {}) => {
    const response = await fetch(`${proxy}/oauth2/${end}`, {
      method: 'POST',
      headers: { 'x-forwarded-proto': 'https', ...headers },
      body: new URLSearchParams(values),
    });
    return { status: response.status, headers: response.headers, body: await bodyOf(response) };
  };
  const use = (token: string, headers = {}) =>
    fetch(`${proxy}/p`, { headers: { authorization: `Bearer ${token}`, ...headers } });
  return { post, use, upstream };
}

const bodyOf = (response: Response) => response.json() as Promise<Record<string, string>>;

const user = { provision_key: 'key', authenticated_userid: 'u1' };
const app = { client_id: 'app', client_secret: 'secret' };

test('a code is given for a token once, with its scope and user', async () => {
  const { post, use, upstream } = await server({
    enable_authorization_code: true,
    scopes: ['mail', 'feed'],
  });
  const asked = { ...user, client_id: 'app', response_type: 'code', scope: 'mail', state: 's 1' };
  const { status, body, headers } = await post('authorize', asked);
  expect(status).toBe(200);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(body.redirect_uri).toMatch(/^https:\/\/app\.example\/cb\?a=b&code=\w{32}&state=s%201$/);
  const code = new URL(body.redirect_uri).searchParams.get('code') ?? '';
  const redeem = { ...app, grant_type: 'authorization_code', code };
  const token = await post('token', redeem);
  expect(token.body).toMatchObject({ token_type: 'bearer', expires_in: 7200 });
  expect((await post('token', redeem)).body.error_description).toBe('Invalid code');
  expect((await use(token.body.access_token)).status).toBe(200);
  expect(upstream.requests[0].headers).toMatchObject({
    'x-authenticated-scope': 'mail',
    'x-authenticated-userid': 'u1',
    'x-credential-identifier': 'app',
    'x-consumer-username': 'ann',
  });
  const next = await post('token', {
    ...app,
    grant_type: 'refresh_token',
    refresh_token: token.body.refresh_token,
    state: 'x',
  });
  expect(next.body).toMatchObject({ token_type: 'bearer', state: 'x' });
  expect(next.body.refresh_token).not.toBe(token.body.refresh_token);
  expect((await use(token.body.access_token)).status).toBe(401);
  expect((await use(next.body.access_token)).status).toBe(200);
});

test('errors of the authorization endpoint go to the application where it is known', async () => {
  const { post } = await server({ enable_authorization_code: true, scopes: ['mail'] });
  const asked = { ...user, client_id: 'app', response_type: 'code', state: 'x' };
  const told = async (values: Record<string, string>) => {
    const { status, body } = await post('authorize', { ...asked, ...values });
    expect(status).toBe(400);
    return body.redirect_uri ?? body;
  };
  const at = (error: string) => `https://app.example/cb?a=b&${error}&state=x`;
  expect(await told({ scope: 'wot' })).toBe(
    at('error=invalid_scope&error_description=%22wot%22%20is%20an%20invalid%20scope'),
  );
  expect(await told({ response_type: 'token' })).toBe(
    at('error=unsupported_response_type&error_description=Invalid%20response_type'),
  );
  expect(await told({ redirect_uri: 'https://evil.example' })).toMatch(
    /^https:\/\/app\.example\/cb\?a=b&error=invalid_request&error_description=Invalid%20redirect/,
  );
  expect(await told({ client_id: 'other' })).toMatchObject({ error: 'invalid_client', state: 'x' });
  expect(await told({ provision_key: 'no' })).toMatchObject({ error: 'invalid_provision_key' });
  expect(await told({ authenticated_userid: ' ' })).toMatchObject({
    error_description: 'Missing authenticated_userid parameter',
  });
});

test('the implicit grant puts the token into the fragment', async () => {
  const { post, use } = await server({ enable_implicit_grant: true });
  const asked = { ...user, client_id: 'spa', response_type: 'token', state: 'x' };
  const { body } = await post('authorize', asked);
  const form =
    /^https:\/\/spa\.example#access_token=(\w{32})&expires_in=7200&state=x&token_type=bearer$/;
  expect(body.redirect_uri).toMatch(form);
  expect((await use(form.exec(body.redirect_uri)?.[1] ?? '')).status).toBe(200);
});

test('a public client needs the verifier of its challenge', async () => {
  const { post } = await server({ enable_authorization_code: true });
  const asked = { ...user, client_id: 'spa', response_type: 'code' };
  const without = await post('authorize', asked);
  expect(without.body.redirect_uri).toContain('error=invalid_request');
  const verifier = 'v'.repeat(43);
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const redeem = async (values: Record<string, string>) => {
    const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
    const { body } = await post('authorize', { ...asked, ...pkce });
    const code = new URL(body.redirect_uri).searchParams.get('code') ?? '';
    return post('token', { client_id: 'spa', grant_type: 'authorization_code', code, ...values });
  };
  expect((await redeem({ code_verifier: verifier })).status).toBe(200);
  expect((await redeem({ code_verifier: 'w'.repeat(43) })).body.error).toBe('invalid_grant');
  expect((await redeem({ code_verifier: 'short' })).body.error_description).toContain('43 and 128');
  expect((await redeem({})).body.error_description).toContain('code_verifier is required');
});

test('clients are looked at before what they ask for', async () => {
  const { post } = await server({ enable_password_grant: true });
  const password = { ...user, grant_type: 'password' };
  const basic = (text: string) => ({ authorization: `Basic ${btoa(text)}` });
  expect((await post('token', { ...app, ...password })).status).toBe(200);
  expect((await post('token', password, basic('app:secret'))).status).toBe(200);
  const wrong = await post('token', password, basic('app:no'));
  expect(wrong.status).toBe(401);
  expect(wrong.headers.get('www-authenticate')).toBe('Basic realm="OAuth2.0"');
  const unknown = { ...app, client_id: 'x', grant_type: 'client_credentials' };
  expect((await post('token', unknown)).body.error).toBe('unsupported_grant_type');
  const off = { ...app, grant_type: 'client_credentials' };
  expect((await post('token', off)).body.error).toBe('unsupported_grant_type');
  const elsewhere = { ...app, ...password, redirect_uri: 'https://evil.example' };
  expect((await post('token', elsewhere)).body.error).toBe('invalid_request');
  const http = await post('token', { ...app, ...password }, { 'x-forwarded-proto': 'http' });
  expect(http.body).toEqual({ error: 'access_denied', error_description: 'You must use HTTPS' });
});

test('an anonymous client claims neither scope nor user', async () => {
  const config = { enable_password_grant: true, anonymous: 'nobody' };
  const { use, upstream } = await server(config);
  const claims = { 'x-authenticated-userid': 'root', 'x-authenticated-scope': 'all' };
  expect((await use('none', claims)).status).toBe(200);
  const { headers } = upstream.requests[0];
  expect(headers['x-anonymous-consumer']).toBe('true');
  expect(headers['x-authenticated-userid'] ?? headers['x-authenticated-scope']).toBeUndefined();
});
