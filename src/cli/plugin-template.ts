/** The files that `headgate plugin init` writes. */
import { version } from '../product.js';

/** Texts by path below the folder of the plugin. */
export function templateFiles(name: string): Readonly<Record<string, string>> {
  return {
    'package.json': packageJson(name),
    'index.mjs': handler(name),
    'schema.mjs': schema,
    'test/schema.test.mjs': unitTest,
    'test/plugin.test.mjs': integrationTest(name),
    'README.md': readme(name),
  };
}

const packageJson = (name: string): string =>
  `${JSON.stringify(
    {
      name: `headgate-plugin-${name}`,
      version: '0.1.0',
      type: 'module',
      exports: './index.mjs',
      scripts: { test: 'node --test test/', lint: 'headgate plugin lint index.mjs' },
      peerDependencies: { headgate: `>=${version}` },
    },
    null,
    2,
  )}\n`;

const handler = (name: string): string => `// @ts-check
import { definePlugin } from 'headgate/plugin';
import { schema } from './schema.mjs';

export default definePlugin({
  name: '${name}',
  version: '0.1.0',
  // Higher runs earlier. Authentication plugins have 1000 to 1450, log plugins 1 to 20.
  priority: 500,
  schema,
  access(ctx) {
    if (ctx.request.header(ctx.config.refuse_header) !== null) {
      ctx.response.error(403, 'Refused');
      return;
    }
    ctx.service.request.setHeader('x-greeting', ctx.config.greeting);
  },
  headerFilter(ctx) {
    ctx.response.setHeader('x-greeted', 'yes');
  },
});
`;

const schema = `// @ts-check
export const schema = /** @type {const} */ ({
  fields: {
    greeting: {
      type: 'string',
      required: true,
      default: 'hello',
      description: 'What the upstream is told.',
    },
    refuse_header: {
      type: 'string',
      required: true,
      default: 'x-refuse',
      description: 'Requests with this header are answered 403.',
    },
  },
});
`;

const unitTest = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateConfig } from 'headgate/testing';
import { schema } from '../schema.mjs';

test('defaults are filled in', () => {
  const { config, errors } = validateConfig(schema, {});
  assert.deepEqual(errors, []);
  assert.deepEqual(config, { greeting: 'hello', refuse_header: 'x-refuse' });
});

test('a wrong type is refused', () => {
  const { errors } = validateConfig(schema, { greeting: 1 });
  assert.deepEqual(errors, ['greeting: expected a string']);
});
`;

const integrationTest = (name: string): string => `import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestGateway } from 'headgate/testing';
import plugin from '../index.mjs';

let gateway;
before(async () => {
  const configs = { '${name}': { greeting: 'hi' } };
  gateway = await createTestGateway({ plugins: [plugin], configs });
});
after(() => gateway.close());

test('greets the upstream', async () => {
  const response = await gateway.inject('/some/path');
  assert.equal(response.status, 200);
  assert.equal(response.headers['x-greeted'], 'yes');
  assert.equal(gateway.upstream.requests.at(-1).headers['x-greeting'], 'hi');
  assert.deepEqual(response.phases, ['${name}.access', '${name}.header_filter']);
});

test('refuses where it is asked to', async () => {
  const before = gateway.upstream.requests.length;
  const response = await gateway.inject({ path: '/', headers: { 'x-refuse': '1' } });
  assert.equal(response.status, 403);
  assert.equal(response.json().message, 'Refused');
  assert.equal(gateway.upstream.requests.length, before);
});
`;

const readme = (name: string): string => `# ${name}

A plugin for Headgate.

    headgate plugin test        # unit and integration tests
    headgate plugin lint index.mjs
    headgate start --watch -c kong.yml --set plugins=bundled,./index.mjs

| field | default | meaning |
| --- | --- | --- |
| \`greeting\` | \`hello\` | What the upstream is told. |
| \`refuse_header\` | \`x-refuse\` | Requests with this header are answered 403. |
`;
