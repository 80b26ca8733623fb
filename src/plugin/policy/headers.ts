/** Plugins that only change or look at headers, as policies. */
import { EditOp, PolicyChangeOp, PolicyFlag } from '../../core/layout.js';
import type { PolicyStepInput } from '../../core/policy-input.js';
import { allowedOrigins } from '../builtin/cors/origins.js';
import { isTemplate } from '../builtin/request-transformer/template.js';
import { pairsOf } from '../builtin/shared/pairs.js';
import type { PlanStep } from '../plan.js';
import { checkedEdits } from './ready-edits.js';

interface CorsConfig {
  readonly origins: readonly string[] | null;
  readonly exposed_headers: readonly string[] | null;
  readonly credentials: boolean;
  readonly allow_origin_absent: boolean;
}

/** Null where what is answered depends on the origin. */
export function corsPolicy({ config }: PlanStep): PolicyStepInput[] | null {
  const { origins, exposed_headers: exposed, credentials, ...given } = config as CorsConfig;
  const allowed = allowedOrigins(origins);
  const value = allowed.single ?? (allowed.any && !allowed.varies ? '*' : null);
  if (value === null || (value === '*' && credentials)) return null;
  const edits = [];
  if (allowed.varies) edits.push({ op: EditOp.ADD, name: 'Vary', value: 'Origin' });
  const set = (name: string, text: string) =>
    edits.push({ op: EditOp.SET, name: `Access-Control-${name}`, value: text });
  set('Allow-Origin', value);
  if (credentials) set('Allow-Credentials', 'true');
  if (exposed && exposed.length > 0) set('Expose-Headers', exposed.join(','));
  const checked = checkedEdits(edits);
  if (!checked) return null;
  const flags =
    PolicyFlag.TO_CLIENT |
    PolicyFlag.NOT_OPTIONS |
    (given.allow_origin_absent ? 0 : PolicyFlag.NEEDS_ORIGIN);
  return [{ kind: 'CORS', flags, edits: checked }];
}

interface CorrelationConfig {
  readonly header_name: string | null;
  readonly generator: string;
  readonly echo_downstream: boolean;
}

/** Null for `tracker`, whose text tells of this process. */
export function correlationPolicy({ config }: PlanStep): PolicyStepInput[] | null {
  const { header_name: name, generator, echo_downstream: echo } = config as CorrelationConfig;
  if (generator === 'tracker') return null;
  const flags = (echo ? PolicyFlag.TO_CLIENT : 0) | (generator === 'uuid' ? 0 : PolicyFlag.COUNTED);
  return [{ kind: 'REQUEST_ID', flags, name: name ?? 'Kong-Request-ID' }];
}

/** Only where a trigger makes the plugin answer; without one it always does. */
export function terminationPolicy({ config }: PlanStep): PolicyStepInput[] | null {
  const { trigger } = config as { readonly trigger: string | null };
  return trigger === null ? null : [{ kind: 'TRIGGER', flags: 0, name: trigger }];
}

interface Parts {
  readonly headers: readonly string[];
  readonly body: readonly string[];
  readonly querystring: readonly string[];
  readonly uri?: string | null;
}

type TransformerConfig = Readonly<
  Record<'remove' | 'rename' | 'replace' | 'add' | 'append', Parts>
> & { readonly http_method: string | null };

/** Null where more than headers changes, or to something that depends on the request. */
export function transformerPolicy({ config }: PlanStep): PolicyStepInput[] | null {
  const given = config as TransformerConfig;
  const { remove, rename, replace, add, append } = given;
  const all = [remove, rename, replace, add, append];
  if (given.http_method !== null || (replace.uri ?? null) !== null) return null;
  if (rename.headers.length > 0) return null;
  if (all.some(({ body, querystring }) => body.length + querystring.length > 0)) return null;
  const isHost = (name: string) => name.toLowerCase() === 'host';
  const changes = remove.headers
    .filter((name) => !isHost(name))
    .map((name) => ({ op: PolicyChangeOp.REMOVE as number, name, value: '' }));
  for (const [op, { headers }] of [
    [PolicyChangeOp.REPLACE, replace],
    [PolicyChangeOp.ADD, add],
    [PolicyChangeOp.APPEND, append],
  ] as const) {
    for (const { name, value } of pairsOf(headers)) {
      if (!value) continue;
      if (isHost(name) || isTemplate(value)) return null;
      changes.push({ op, name, value });
    }
  }
  const checked = checkedEdits(changes);
  return checked && [{ kind: 'TRANSFORM', flags: 0, changes: checked }];
}
