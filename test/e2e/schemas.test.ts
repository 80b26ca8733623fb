import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.js';

interface Answer {
  status: number;
  body: { message?: string; fields: Record<string, never>[] };
}

async function ask(path: string, body?: unknown): Promise<Answer> {
  const { admin } = await startGateway();
  const response = await fetch(admin + path, {
    method: body === undefined ? 'GET' : 'POST',
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

describe('schemas over the Admin API', () => {
  test('of plugins and entities', async () => {
    const plugin = await ask('/schemas/plugins/request-termination');
    expect(plugin.status).toBe(200);
    const config = plugin.body.fields.find((one) => 'config' in one)?.config as unknown;
    expect(config).toMatchObject({
      type: 'record',
      fields: expect.arrayContaining([{ status_code: expect.objectContaining({ default: 503 }) }]),
    });
    expect((await ask('/schemas/services')).body.fields[0]).toHaveProperty('id');
    expect(await ask('/schemas/plugins/nothing')).toEqual({
      status: 404,
      body: { message: "No plugin named 'nothing'" },
    });
    expect((await ask('/schemas/vaults/env')).body.fields[0].config).toMatchObject({
      type: 'record',
      fields: [{ prefix: { type: 'string' } }],
      required: true,
    });
    expect(await ask('/schemas/vaults/other')).toEqual({
      status: 404,
      body: { message: "No vault named 'other'" },
    });
    expect((await ask('/schemas/nothing')).body).toEqual({ message: "No entity named 'nothing'" });
  });

  test('check entities', async () => {
    const path = '/schemas/plugins/validate';
    expect(await ask(path, { name: 'request-termination' })).toEqual({
      status: 200,
      body: { message: 'schema validation successful' },
    });
    expect(await ask(path, { name: 'request-termination', config: { status_code: 1 } })).toEqual({
      status: 400,
      body: {
        code: 2,
        name: 'schema violation',
        message: 'schema violation (config.status_code: value should be between 100 and 599)',
        fields: { config: { status_code: 'value should be between 100 and 599' } },
      },
    });
    expect((await ask(path, { name: 'no-such' })).body.message).toContain("'no-such' not enabled");
    const renewed = { name: 'session', config: { cookie_renew: 600, cookie_lifetime: 60 } };
    expect((await ask(path, renewed)).status).toBe(200);
    const vault = { name: 'env', prefix: 'my-env' };
    expect((await ask('/schemas/vaults/validate', vault)).status).toBe(200);
    expect((await ask('/schemas/services/validate', {})).body.fields).toEqual({
      host: 'required field missing',
    });
  });
});
