/** What can be said against a plugin before it runs: mistakes that no type tells. */
import type { FieldSchema, Fields } from '../config/schema/field.js';
import { validateRecord } from '../config/schema/validate.js';
import { type AnyPlugin, handlerPhases } from './define.js';
import { bundledPlugins } from './registry.js';

export interface LintFinding {
  readonly plugin: string;
  /** `error`: it does not work; `warning`: it will give trouble. */
  readonly level: 'error' | 'warning';
  readonly message: string;
}

/** Looks at plugins that have been loaded; an empty list means nothing was found. */
export function lintPlugins(plugins: readonly AnyPlugin[]): LintFinding[] {
  return plugins.flatMap((plugin) => {
    const found: Omit<LintFinding, 'plugin'>[] = [
      ...handlerFindings(plugin),
      ...fieldFindings(plugin.schema.fields, ''),
      ...placeFindings(plugin),
    ];
    return found.map((finding) => ({ plugin: plugin.name, ...finding }));
  });
}

type Finding = Omit<LintFinding, 'plugin'>;

const warning = (message: string): Finding => ({ level: 'warning', message });

function handlerFindings(plugin: AnyPlugin): Finding[] {
  const found: Finding[] = [];
  const names = Object.keys(handlerPhases) as (keyof typeof handlerPhases)[];
  if (!names.some((name) => plugin[name]) && !plugin.logSink) {
    found.push(warning('it takes part in no phase'));
  }
  for (const name of ['headerFilter', 'bodyFilter', 'wsClientFrame', 'wsUpstreamFrame'] as const) {
    if (plugin[name]?.constructor.name !== 'AsyncFunction') continue;
    found.push({ level: 'error', message: `${name} must not be asynchronous` });
  }
  const known = new Set<string>([...names, ...settings]);
  for (const name of Object.keys(plugin)) {
    if (!known.has(name)) found.push(warning(`${name} is nothing that the gateway calls or reads`));
  }
  return found;
}

const settings = ['name', 'version', 'priority', 'schema', 'logSink', 'ignoredScopes'] as const;
const secretName = /(secret|password|token|api_?key|private_key)$/;

function fieldFindings(fields: Fields, path: string): Finding[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const place = `${path}${name}`;
    const found: Finding[] = [];
    if (field.description === undefined) found.push(warning(`${place} has no description`));
    if (secretName.test(name) && field.type === 'string' && !field.encrypted) {
      found.push(warning(`${place} looks like a secret; mark it encrypted`));
    }
    if (field.type === 'record') return [...found, ...fieldFindings(field.fields, `${place}.`)];
    return [...found, ...defaultFindings(field, place)];
  });
}

/** A default that its own field refuses. */
function defaultFindings(field: FieldSchema, place: string): Finding[] {
  if (!('default' in field) || field.default === undefined) return [];
  const { errors } = validateRecord({ fields: { value: field } }, { value: field.default });
  return errors.map(({ message }) => ({
    level: 'error',
    message: `the default of ${place} is refused: ${message}`,
  }));
}

function placeFindings(plugin: AnyPlugin): Finding[] {
  const others = bundledPlugins.filter((other) => other !== plugin);
  if (others.some(({ name }) => name === plugin.name)) {
    return [{ level: 'error', message: 'a plugin of that name comes with the gateway' }];
  }
  const same = others.filter(({ priority }) => priority === plugin.priority);
  if (same.length === 0) return [];
  const names = same.map(({ name }) => name).join(', ');
  return [
    warning(`its priority is that of ${names}; of these the name that sorts last runs first`),
  ];
}
