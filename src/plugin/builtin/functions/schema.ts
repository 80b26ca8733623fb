/** Schema of pre-function and post-function (kong-bundled-plugins reference, sections 17, 18). */
import type { Faults } from '../../../config/schema/field.js';
import { compile, looksLikeLua } from './compile.js';

/** Phases with function bodies, by Kong's names, in the order of a request's life. */
export const functionPhases = [
  'certificate',
  'rewrite',
  'access',
  'header_filter',
  'body_filter',
  'log',
] as const;

export type FunctionPhase = (typeof functionPhases)[number];

const bodies = (description: string) =>
  ({
    type: 'array',
    required: true,
    elements: { type: 'string' },
    default: [],
    description,
  }) as const;

export const fields = {
  certificate: bodies('Bodies of functions of `ctx`, which may await; global configurations only.'),
  rewrite: bodies('Bodies of functions of `ctx`, which may await; global configurations only.'),
  access: bodies('Bodies of functions of `ctx`, which may await.'),
  header_filter: bodies('Bodies of functions of `ctx`.'),
  body_filter: bodies('Bodies of functions of `ctx`, `chunk` and `isLast`.'),
  log: bodies('Bodies of functions of `entry`, which may await.'),
} as const;

/** `allowed`: whether the node runs JavaScript of its configuration. */
export function functionSchema(name: string, allowed: boolean) {
  return {
    fields,
    scopes: ['service', 'route', 'global'],
    entity_checks: [{ at_least_one_of: [...functionPhases] }],
    check: (config: Readonly<Record<string, unknown>>) => faultsOf(name, allowed, config),
  } as const;
}

function faultsOf(name: string, allowed: boolean, config: Readonly<Record<string, unknown>>) {
  const faults: Record<string, string> = {};
  for (const phase of functionPhases) {
    for (const body of config[phase] as readonly string[]) {
      const fault = faultOf(name, phase, body, allowed);
      if (fault !== null) faults[phase] ??= fault;
    }
  }
  return faults satisfies Faults;
}

function faultOf(name: string, phase: FunctionPhase, body: string, allowed: boolean) {
  let syntax: string | null = null;
  try {
    compile(name, phase, body);
  } catch (error) {
    syntax = (error as Error).message;
  }
  if (looksLikeLua(body, syntax === null)) {
    return `error parsing ${name}: this is Lua; bodies of functions are JavaScript here`;
  }
  if (syntax !== null) return `error parsing ${name}: ${syntax}`;
  if (allowed) return null;
  return `${name} runs JavaScript of the configuration: it needs the setting untrusted_js=on`;
}
