/** Which origins a list allows (kong-bundled-plugins reference, section 4). */
import { GatewayError } from '../../../errors.js';
import { patternOf } from '../shared/pattern.js';

export interface AllowedOrigins {
  /** Every origin. */
  readonly any: boolean;
  /** The answer depends on the request's origin. */
  readonly varies: boolean;
  /** The one plain origin, sent whatever the request's is; null: there are several or patterns. */
  readonly single: string | null;
  /** The normalised origin of a request where it is allowed. */
  match(origin: string): string | null;
}

const plain = /^[A-Za-z0-9.:/-]+$/;

const cache = new WeakMap<readonly string[], AllowedOrigins>();

/** Compiles a list once. */
export function allowedOrigins(list: readonly string[] | null): AllowedOrigins {
  if (!list || list.length === 0) return everyOrigin;
  let known = cache.get(list);
  if (!known) {
    known = compile(list);
    cache.set(list, known);
  }
  return known;
}

const everyOrigin: AllowedOrigins = {
  any: true,
  varies: false,
  single: null,
  match: (origin) => origin,
};
/** With `*` among others. */
const everyOriginOfMany: AllowedOrigins = { ...everyOrigin, varies: true };

function compile(list: readonly string[]): AllowedOrigins {
  if (list.includes('*')) return list.length === 1 ? everyOrigin : everyOriginOfMany;
  if (list.length === 1 && plain.test(list[0])) {
    return { any: false, varies: true, single: list[0], match: () => list[0] };
  }
  const rules = list.map(ruleOf);
  return {
    any: false,
    varies: true,
    single: null,
    match(origin) {
      const parsed = normalise(origin);
      return rules.some((rule) => rule(parsed)) ? parsed.origin : null;
    },
  };
}

interface Origin {
  /** With scheme and, unless it is the default, port. */
  readonly origin: string;
  readonly host: string;
}

/** Patterns without a colon are about the host alone; plain entries are whole origins. */
function ruleOf(entry: string): (request: Origin) => boolean {
  if (plain.test(entry)) {
    const wanted = normalise(entry).origin;
    return (request) => request.origin === wanted;
  }
  const ofHost = !entry.includes(':');
  const subject = (request: Origin) => (ofHost ? request.host : request.origin);
  const pattern = originPattern(entry);
  return (request) => pattern.test(subject(request));
}

/**
 * An entry as a pattern for the whole origin.
 * @throws GatewayError GW_E_CONFIG_INVALID where it is none
 */
export function originPattern(entry: string): RegExp {
  try {
    return patternOf(entry, '^(?:', ')$');
  } catch {
    throw new GatewayError('GW_E_CONFIG_INVALID', `'${entry}' is not a valid regex`);
  }
}

function normalise(text: string): Origin {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/:?#]+|\[[^\]]*\])(?::(\d+))?/.exec(text);
  if (!match) return { origin: text, host: text };
  const [, scheme, host, port] = match;
  const standard = { http: '80', https: '443' }[scheme.toLowerCase()];
  const suffix = port === undefined || port === standard ? '' : `:${port}`;
  const lower = host.toLowerCase();
  return { origin: `${scheme.toLowerCase()}://${lower}${suffix}`, host: lower };
}
