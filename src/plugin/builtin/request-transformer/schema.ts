/** Schema of request-transformer (kong-bundled-plugins reference, section 5). */
import { compileTemplate } from './template.js';

const names = { type: 'array', required: true, elements: { type: 'string' }, default: [] } as const;

/** `name:value`, whose value may be a template. */
const pairs = {
  type: 'array',
  required: true,
  elements: { type: 'string', check: pairFault },
  default: [],
} as const;

const headerPairs = { ...pairs, elements: { type: 'string', check: headerPairFault } } as const;

export const fields = {
  http_method: { type: 'string', match: '[A-Z]+', description: 'Method for the upstream.' },
  remove: { type: 'record', fields: { body: names, headers: names, querystring: names } },
  rename: { type: 'record', fields: { body: pairs, headers: headerPairs, querystring: pairs } },
  replace: {
    type: 'record',
    fields: {
      body: pairs,
      headers: headerPairs,
      querystring: pairs,
      uri: { type: 'string', check: templateFault, description: 'Path for the upstream.' },
    },
  },
  add: { type: 'record', fields: { body: pairs, headers: headerPairs, querystring: pairs } },
  append: { type: 'record', fields: { body: pairs, headers: headerPairs, querystring: pairs } },
} as const;

function templateFault(text: string): string | undefined {
  try {
    compileTemplate(text);
    return undefined;
  } catch (error) {
    return `value '${text}' is not in supported format, error:${(error as Error).message}`;
  }
}

function pairFault(entry: string): string | undefined {
  return templateFault(entry.slice(entry.indexOf(':') + 1));
}

function headerPairFault(entry: string): string | undefined {
  const colon = entry.indexOf(':');
  const name = colon < 0 ? entry : entry.slice(0, colon);
  if (colon === 0 || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
    return `'${name}' is not a valid header`;
  }
  return pairFault(entry);
}
