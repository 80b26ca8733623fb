/** What a parsed pattern is made of. */
import { GatewayError } from '../../errors.js';
import type { CodePoints } from './code-points.js';

export type Assertion = 'start' | 'end' | 'lineStart' | 'lineEnd' | 'word' | 'notWord';

export type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'literal'; readonly code: number }
  | { readonly kind: 'set'; readonly set: CodePoints }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'concat'; readonly parts: readonly Node[] }
  | { readonly kind: 'alternate'; readonly parts: readonly Node[] }
  | {
      readonly kind: 'repeat';
      readonly node: Node;
      readonly min: number;
      /** Infinity: no bound. */
      readonly max: number;
      readonly greedy: boolean;
    }
  | { readonly kind: 'group'; readonly node: Node; readonly index: number };

export interface Pattern {
  readonly node: Node;
  /** Capture groups without the whole match. */
  readonly groupCount: number;
  /** Group numbers by name. */
  readonly names: ReadonlyMap<string, number>;
}

/** The error for a pattern; `at` is an index in its text. */
export function patternError(message: string, at: number): GatewayError {
  const text = `${message} at column ${at + 1} of the pattern`;
  return new GatewayError('GW_E_CONFIG_INVALID', text, { details: { column: at + 1 } });
}
