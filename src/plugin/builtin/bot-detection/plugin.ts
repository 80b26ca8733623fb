/** Kong's bot-detection: refuses clients whose User-Agent is that of a program. */
import { definePlugin } from '../../define.js';
import { patternOf } from '../shared/pattern.js';
import { knownBots } from './known-bots.js';

const patterns = {
  type: 'array',
  elements: { type: 'string', is_regex: true },
  default: [],
} as const;

const fields = {
  allow: { ...patterns, description: 'Patterns of User-Agent values that pass.' },
  deny: { ...patterns, description: 'Patterns of User-Agent values that do not.' },
} as const;

const compiled = new WeakMap<readonly string[], readonly RegExp[]>();

function matches(list: readonly string[] | null, agent: string): boolean {
  if (!list || list.length === 0) return false;
  let known = compiled.get(list);
  if (!known) {
    known = list.map((pattern) => patternOf(pattern));
    compiled.set(list, known);
  }
  return known.some((pattern) => pattern.test(agent));
}

export default definePlugin({
  name: 'bot-detection',
  version: '3.10.0',
  priority: 2500,
  schema: { fields, scopes: ['service', 'route', 'global'] },
  access(ctx) {
    const { config, request, response } = ctx;
    const agents = request.headerValues('user-agent');
    if (agents.length === 0) return;
    if (agents.length > 1) return response.error(400, 'Only one User-Agent header allowed');
    const agent = agents[0].trim();
    if (matches(config.allow, agent)) return;
    // Which agents are known bots does not depend on the configuration.
    let isBot = ctx.cache.peek<boolean>(agent);
    if (isBot === undefined) {
      isBot = knownBots.some((pattern) => pattern.test(agent));
      ctx.cache.set(agent, isBot);
    }
    if (isBot || matches(config.deny, agent)) response.error(403, 'Forbidden');
  },
});
