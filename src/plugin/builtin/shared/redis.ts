/**
 * Connections to Redis or Valkey, one per address and account. The client package is optional:
 * it is loaded when a configuration needs it.
 */
import type { createClient } from '@redis/client';
import { GatewayError } from '../../../errors.js';
import type { RedisConfig } from './redis-schema.js';

type Client = ReturnType<typeof createClient>;

const connections = new Map<string, Promise<Client>>();

/** An answer that takes longer than `timeout` counts as none, so that requests do not wait on. */
export async function runScript(
  config: RedisConfig,
  script: string,
  keys: readonly string[],
  values: readonly string[],
): Promise<unknown> {
  const client = await connect(config);
  const reply = client.eval(script, { keys: [...keys], arguments: [...values] });
  return withTimeout(reply, config.timeout ?? 2000);
}

/** Ends every connection. */
export async function closeRedis(): Promise<void> {
  const open = [...connections.values()];
  connections.clear();
  await Promise.allSettled(open.map(async (client) => (await client).destroy()));
}

function connect(config: RedisConfig): Promise<Client> {
  const { host, port, username, database, ssl, server_name: name } = config;
  const key = JSON.stringify([host, port, username, config.password, database, ssl, name]);
  let known = connections.get(key);
  if (!known) {
    known = open(config);
    connections.set(key, known);
    // The next request tries again.
    known.catch(() => connections.delete(key));
  }
  return known;
}

async function open(config: RedisConfig): Promise<Client> {
  const { createClient: create } = await loadPackage();
  const timeout = config.timeout ?? 2000;
  const tls = config.ssl
    ? {
        tls: true as const,
        rejectUnauthorized: config.ssl_verify,
        servername: config.server_name ?? config.host ?? undefined,
      }
    : {};
  const client = create({
    username: config.username ?? undefined,
    password: config.password ?? undefined,
    database: config.database ?? 0,
    // What cannot be sent now fails now: a request is waiting for it.
    disableOfflineQueue: true,
    socket: {
      host: config.host ?? '127.0.0.1',
      port: config.port ?? 6379,
      connectTimeout: timeout,
      reconnectStrategy: (attempt) => Math.min(50 * 2 ** attempt, 2000),
      ...tls,
    },
  }) as Client;
  client.on('error', () => {});
  // Later it connects again by itself; a first try that is refused is not waited out.
  const refused = new Promise<never>((_resolve, reject) => client.once('error', reject));
  try {
    await withTimeout(Promise.race([client.connect(), refused]), timeout);
  } catch (error) {
    client.destroy();
    throw error;
  }
  return client;
}

async function loadPackage(): Promise<typeof import('@redis/client')> {
  try {
    return await import('@redis/client');
  } catch (cause) {
    const message = 'the policy redis needs the package @redis/client: npm install @redis/client';
    throw new GatewayError('GW_E_PLUGIN_FAILED', message, { cause });
  }
}

async function withTimeout<T>(value: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const message = `redis did not answer within ${ms} ms`;
    timer = setTimeout(() => reject(new GatewayError('GW_E_PLUGIN_FAILED', message)), ms);
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}
