/** Kong's acl: only clients of some groups, or all but those of some groups. */
import type { AccessContext } from '../context-types.js';
import { definePlugin } from '../define.js';
import type { Infer } from '../schema.js';

const names = { type: 'array', elements: { type: 'string' } } as const;

const fields = {
  allow: { ...names, description: 'Groups that may pass.' },
  deny: { ...names, description: 'Groups that may not pass.' },
  hide_groups_header: {
    type: 'boolean',
    required: true,
    default: false,
    description: 'Do not tell the upstream the groups.',
  },
  always_use_authenticated_groups: {
    type: 'boolean',
    required: true,
    default: false,
    description: 'Prefer groups that an authentication plugin found to those of the consumer.',
  },
} as const;

type Context = AccessContext<Infer<typeof fields>>;

export default definePlugin({
  name: 'acl',
  version: '3.10.0',
  priority: 950,
  schema: {
    fields,
    scopes: ['service', 'route', 'global'],
    entity_checks: [{ only_one_of: ['allow', 'deny'] }, { at_least_one_of: ['allow', 'deny'] }],
  },
  access(ctx) {
    const { config, client } = ctx;
    const { groups, isExternal } = groupsOf(ctx);
    if (!groups) {
      if (client.credential) return refuse(ctx);
      return ctx.response.error(401, 'Unauthorized');
    }
    const isListed = groups.some((group) => (config.allow ?? config.deny ?? []).includes(group));
    if (isListed !== (config.allow !== null)) return refuse(ctx);
    if (config.hide_groups_header) return;
    const header = isExternal ? 'X-Authenticated-Groups' : 'X-Consumer-Groups';
    // Also where there is none: what the client claims must not stay.
    ctx.service.request.setHeader(header, groups.join(', '));
  },
});

const refuse = (ctx: Context): void => ctx.response.error(403, 'You cannot consume this service');

interface Groups {
  /** Null: there is nobody, or nobody in any group where that decides. */
  readonly groups: readonly string[] | null;
  readonly isExternal: boolean;
}

function groupsOf(ctx: Context): Groups {
  const { config, client, entities, shared } = ctx;
  const { consumer, credential } = client;
  const external = Array.isArray(shared.authenticated_groups)
    ? (shared.authenticated_groups as string[])
    : null;
  const prefersExternal = !consumer || !credential || config.always_use_authenticated_groups;
  if (prefersExternal && external) return { groups: external, isExternal: true };
  const own = consumer ? entities.ofConsumer('acls', consumer.id).map(({ group }) => group) : [];
  if (own.length > 0) return { groups: own, isExternal: false };
  // Somebody without a group passes where groups are only denied.
  const passes = consumer !== null && config.deny !== null;
  return { groups: passes ? [] : null, isExternal: false };
}
