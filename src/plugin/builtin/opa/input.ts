/** What the policy server is shown of a request. */
import type { AccessContext } from '../../context-types.js';
import type { Infer } from '../../schema.js';
import type { fields } from './schema.js';

export type Config = Infer<typeof fields>;

/** The document `{ input }` as JSON text. */
export async function inputOf(ctx: AccessContext<Config>): Promise<string> {
  const { config, request, client, route, service } = ctx;
  const http: Record<string, unknown> = {
    host: request.host,
    port: request.port,
    method: request.method,
    scheme: request.scheme,
    path: request.path,
    querystring: request.queryArguments(1000),
    headers: request.headers(1000),
  };
  if (config.include_uri_captures_in_opa_input) http.uri_captures = request.uriCaptures;
  if (config.include_body_in_opa_input || config.include_parsed_json_body_in_opa_input) {
    const body = Buffer.from(await request.body());
    if (config.include_body_in_opa_input) {
      http.body = body.toString('utf8');
      http.body_size = body.length;
    }
    const isJson = /^application\/json\b/i.test(request.header('content-type') ?? '');
    if (config.include_parsed_json_body_in_opa_input && isJson) http.parsed_body = parsed(body);
  }
  const input: Record<string, unknown> = { request: { http }, client_ip: client.ip };
  if (config.include_service_in_opa_input) input.service = service.entity;
  if (config.include_route_in_opa_input) input.route = route;
  if (config.include_consumer_in_opa_input) input.consumer = client.consumer;
  return JSON.stringify({ input });
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
