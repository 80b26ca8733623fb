/** Asks a policy server (Open Policy Agent) over HTTP whether a request may pass. */
import { Agent, request as ask, type Dispatcher } from 'undici';
import { GatewayError } from '../../../errors.js';
import { limits } from '../../../limits.js';
import type { AccessContext } from '../../context-types.js';
import { definePlugin } from '../../define.js';
import { type Config, inputOf } from './input.js';
import { fields } from './schema.js';

const timeout = limits.policyAnswerMs.value;
const options = { headersTimeout: timeout, bodyTimeout: timeout, connections: 64 };
/** Connections with and without a look at the server's certificate; opened when first used. */
const agents = new Map<boolean, Dispatcher>();

/** What a policy may decide. */
type Decision =
  | boolean
  | {
      readonly allow: boolean;
      readonly status?: number;
      readonly message?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    };

export default definePlugin({
  name: 'opa',
  version: '1.0.0',
  priority: 920,
  schema: { fields, scopes: ['consumer', 'service', 'route', 'global'] },
  async access(ctx) {
    const input = await inputOf(ctx);
    let decision: Decision;
    try {
      decision = await decide(ctx.config, input);
    } catch (error) {
      ctx.log.error(`the policy server gave no decision: ${(error as Error).message}`);
      return ctx.response.error(500);
    }
    carryOut(ctx, decision);
  },
});

function carryOut(ctx: AccessContext<Config>, decision: Decision): void {
  if (decision === true) return;
  if (decision === false) return ctx.response.error(403, 'Forbidden');
  const { allow, status, message, headers = {} } = decision;
  if (allow) return ctx.service.request.setHeaders(headers);
  const code = status ?? 403;
  if (message === undefined || message === null) return ctx.response.exit(code, null, headers);
  ctx.response.exit(code, typeof message === 'string' ? { message } : (message as object), headers);
}

/** @throws GatewayError GW_E_PLUGIN_FAILED where what comes back is no decision */
async function decide(config: Config, input: string): Promise<Decision> {
  const { opa_protocol: protocol, opa_host: host, opa_port: port, opa_path: path } = config;
  const { statusCode, body } = await ask(`${protocol}://${host}:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: input,
    dispatcher: agentFor(config.ssl_verify),
    signal: AbortSignal.timeout(timeout),
  });
  let text = '';
  body.setEncoding('utf8');
  for await (const part of body) {
    text += part;
    if (text.length > limits.policyAnswerBytes.value) throw fault('its answer is too large');
  }
  if (statusCode !== 200) throw fault(`it answered ${statusCode}`);
  const { result } = JSON.parse(text) as { result?: unknown };
  if (typeof result === 'boolean') return result;
  if (isDecision(result)) return result;
  throw fault('its answer has no result that is a boolean or an object with allow');
}

function isDecision(value: unknown): value is Exclude<Decision, boolean> {
  if (typeof value !== 'object' || value === null) return false;
  const { allow, status, headers } = value as Record<string, unknown>;
  if (typeof allow !== 'boolean') return false;
  const isStatus = Number.isInteger(status) && (status as number) >= 200 && Number(status) <= 599;
  if (status !== undefined && !isStatus) return false;
  if (headers === undefined) return true;
  if (typeof headers !== 'object' || headers === null) return false;
  return Object.values(headers).every((one) => typeof one === 'string');
}

function agentFor(verify: boolean): Dispatcher {
  let agent = agents.get(verify);
  if (!agent) {
    agent = new Agent({
      ...options,
      connect: { timeout, rejectUnauthorized: verify },
    });
    agents.set(verify, agent);
  }
  return agent;
}

const fault = (message: string): GatewayError => new GatewayError('GW_E_PLUGIN_FAILED', message);
