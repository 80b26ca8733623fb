import { expect, test } from 'vitest';
import { oneService, startGateway, startUpstream } from '../support/gateway.js';

async function withCors(config: object) {
  const upstream = await startUpstream();
  const document = oneService(upstream.url, [{ name: 'cors', config }]);
  const { proxy } = await startGateway({ config: document });
  return async (origin: string | null, isPreflight = false) => {
    const headers: Record<string, string> = origin === null ? {} : { origin };
    if (isPreflight) headers['access-control-request-method'] = 'GET';
    const method = isPreflight ? 'OPTIONS' : 'GET';
    const response = await fetch(proxy, { method, headers });
    const of = (name: string) => response.headers.get(name);
    return [of('access-control-allow-origin'), of('access-control-allow-credentials'), of('vary')];
  };
}

const several = ['http://a.test', 'http://b.test:8080'];
const own = 'http://a.test';

test.each([
  ['no list', {}, own, ['*', null, null]],
  ['no list, credentials', { credentials: true }, own, [own, 'true', 'Origin']],
  ['no list, credentials, no origin', { credentials: true }, null, ['*', null, null]],
  ['one origin, whatever was sent', { origins: [own] }, 'http://x.test', [own, null, 'Origin']],
  ['one of several', { origins: several }, own, [own, null, 'Origin']],
  ['none of several', { origins: several }, 'http://x.test', [null, null, 'Origin']],
  ['several and no origin', { origins: several }, null, [null, null, 'Origin']],
  ['a star among several', { origins: [...several, '*'] }, own, ['*', null, 'Origin']],
  ['a default port', { origins: several }, 'http://a.test:80', [own, null, 'Origin']],
  ['a pattern is anchored', { origins: ['a\\.test'] }, 'http://a.test.x', [null, null, 'Origin']],
])('%s', async (_name, config, origin, expected) => {
  const ask = await withCors(config);
  expect(await ask(origin)).toEqual(expected);
  if (origin !== null) expect(await ask(origin, true)).toEqual(expected);
});
