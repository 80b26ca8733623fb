/** Schema of opa: the one that Kong documents for its enterprise plugin of the name. */

const flag = (description: string) =>
  ({ type: 'boolean', required: true, default: false, description }) as const;

export const fields = {
  opa_protocol: { type: 'string', default: 'http', one_of: ['http', 'https'] },
  opa_host: { type: 'string', required: true, default: 'localhost', format: 'host' },
  opa_port: { type: 'integer', required: true, default: 8181, between: [0, 65_535] },
  opa_path: {
    type: 'string',
    required: true,
    starts_with: '/',
    description: 'Path of the decision, such as /v1/data/example/allow.',
  },
  include_service_in_opa_input: flag('Show the policy the service.'),
  include_route_in_opa_input: flag('Show the policy the route.'),
  include_consumer_in_opa_input: flag('Show the policy the consumer.'),
  include_body_in_opa_input: flag('Show the policy the body as text, and its size.'),
  include_parsed_json_body_in_opa_input: flag('Show the policy a JSON body as a value.'),
  include_uri_captures_in_opa_input: flag('Show the policy what the path matched.'),
  ssl_verify: {
    type: 'boolean',
    required: true,
    default: true,
    description: 'Check the certificate of the policy server.',
  },
} as const;
