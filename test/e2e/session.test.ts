import { expect, test } from 'vitest';
import { startGateway, startUpstream } from '../support/gateway.js';

interface Setup {
  readonly session?: object;
  readonly others?: readonly object[];
}

async function withSession({ session = {}, others = [] }: Setup) {
  const upstream = await startUpstream();
  const secret = { secret: 'a secret of some length' };
  const plugins = [
    { name: 'session', config: { ...secret, ...session } },
    { name: 'key-auth', config: { anonymous: 'nobody' } },
    ...others,
  ];
  const { proxy } = await startGateway({
    config: {
      _format_version: '3.0',
      services: [{ name: 'one', url: upstream.url, routes: [{ paths: ['/'], plugins }] }],
      consumers: [
        { username: 'ann', keyauth_credentials: [{ key: 'k' }] },
        {
          username: 'nobody',
          plugins: [{ name: 'request-termination', config: { status_code: 401 } }],
        },
      ],
    },
  });
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${proxy}${path}`, { headers, method });
  const login = async () => {
    const response = await ask('/', { apikey: 'k' });
    return response.headers.getSetCookie();
  };
  return { ask, login, upstream };
}

const pairOf = (cookie: string): string => cookie.split(';')[0];

test('a client that was authenticated once comes back with its cookie', async () => {
  const { ask, login, upstream } = await withSession({});
  expect((await ask('/')).status).toBe(401);
  const [cookie, ...more] = await login();
  expect(more).toEqual([]);
  expect(cookie).toMatch(/^session=[\w-]+; Path=\/; SameSite=Strict; Secure; HttpOnly$/);
  const again = await ask('/', { cookie: pairOf(cookie), 'x-consumer-username': 'eve' });
  expect(again.status).toBe(200);
  expect(again.headers.getSetCookie()).toEqual([]);
  const { headers } = upstream.requests[1];
  expect(headers['x-consumer-username']).toBe('ann');
  expect(headers['x-anonymous-consumer']).toBeUndefined();
});

test('cookies that were changed, of another secret or another audience are none', async () => {
  const { ask, login } = await withSession({});
  const value = pairOf((await login())[0]);
  const middle = value.length >> 1;
  const other = value[middle] === 'A' ? 'B' : 'A';
  const changed = value.slice(0, middle) + other + value.slice(middle + 1);
  for (const cookie of [changed, 'session=', 'session=AAAA', value.slice(0, -4)]) {
    expect((await ask('/', { cookie })).status, cookie).toBe(401);
  }
  for (const session of [{ secret: 'another' }, { audience: 'others' }]) {
    const second = await withSession({ session });
    expect((await second.ask('/', { cookie: value })).status).toBe(401);
  }
});

test('logging out takes the cookie back, by query and by form', async () => {
  const { ask, login, upstream } = await withSession({ session: { read_body_for_logout: true } });
  const cookie = pairOf((await login())[0]);
  const left = await ask('/?session_logout=true', { cookie }, 'DELETE');
  expect(left.status).toBe(200);
  expect(await left.text()).toBe('');
  expect(left.headers.getSetCookie()[0]).toMatch(/^session=; Path=\/;.* Max-Age=0$/);
  expect(upstream.requests.length).toBe(1);
  expect((await ask('/?session_logout=true', { cookie }, 'GET')).status).toBe(200);
  expect(upstream.requests.length).toBe(2);
});

test('a session ends by its timeouts, and a remembered one comes back', async () => {
  const session = { absolute_timeout: 1, idling_timeout: 0, rolling_timeout: 0 };
  const { ask, login } = await withSession({ session });
  const cookie = pairOf((await login())[0]);
  expect((await ask('/', { cookie })).status).toBe(200);
  const remembering = await withSession({ session: { ...session, remember: true } });
  const both = (await remembering.login()).map(pairOf);
  expect(both.map((one) => one.split('=')[0])).toEqual(['session', 'remember']);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect((await ask('/', { cookie })).status).toBe(401);
  const again = await remembering.ask('/', { cookie: both.join('; ') });
  expect(again.status).toBe(200);
  expect(again.headers.getSetCookie().length).toBe(2);
  const swapped = { cookie: both[1].replace('remember', 'session') };
  expect((await remembering.ask('/', swapped)).status).toBe(401);
});

test('headers tell of the session', async () => {
  const told = { response_headers: ['id', 'timeout'], request_headers: ['subject', 'audience'] };
  const { ask, login, upstream } = await withSession({ session: told });
  const cookie = pairOf((await login())[0]);
  const response = await ask('/', { cookie, 'session-subject': 'eve' });
  expect(response.headers.get('session-id')).toMatch(/^[\w-]{43}$/);
  expect(Number(response.headers.get('session-timeout'))).toBeGreaterThan(800);
  const { headers } = upstream.requests[1];
  expect(headers['session-audience']).toBe('default');
  expect(headers['session-subject']).toBe(headers['x-consumer-id']);
});
