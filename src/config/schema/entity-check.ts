/** Rules between the fields of a record; names may be dotted paths below it. */
import type { Faults } from './field.js';

/** What a value must satisfy for a conditional check to apply, or for its consequence to hold. */
export interface Condition {
  readonly required?: true;
  readonly eq?: unknown;
  readonly ne?: unknown;
  readonly one_of?: readonly unknown[];
  readonly not_one_of?: readonly unknown[];
  readonly gt?: number;
  /** Inclusive bounds. */
  readonly between?: readonly [number, number];
  readonly len_min?: number;
  /** Pattern (ECMAScript, flag u) found anywhere in the text. */
  readonly match?: string;
  /** An element that a list must have. */
  readonly contains?: unknown;
}

export interface Conditional {
  readonly if_field: string;
  readonly if_match: Condition;
  readonly then_field: string;
  readonly then_match: Condition;
  /** Instead of Kong's text about the record as a whole. */
  readonly then_err?: string;
}

export interface ConditionalAtLeastOneOf {
  readonly if_field: string;
  readonly if_match: Condition;
  readonly then_at_least_one_of: readonly string[];
  /** `%s` stands for the value of `if_field`. */
  readonly then_err?: string;
  readonly else_match?: Condition;
  readonly else_then_at_least_one_of?: readonly string[];
  readonly else_then_err?: string;
}

export interface CustomEntityCheck {
  /** The fields that `fn` gets; by default it is skipped where one is missing or in error. */
  readonly field_sources: readonly string[];
  readonly run_with_missing_fields?: boolean;
  readonly run_with_invalid_fields?: boolean;
  /** Values by field; returns messages by field, or `@entity`. */
  readonly fn: (values: Readonly<Record<string, unknown>>) => Faults;
}

export type EntityCheck =
  | { readonly at_least_one_of: readonly string[] }
  | { readonly only_one_of: readonly string[] }
  | { readonly mutually_required: readonly string[] }
  | { readonly mutually_exclusive: readonly string[] }
  | { readonly mutually_exclusive_sets: { set1: readonly string[]; set2: readonly string[] } }
  | { readonly distinct: readonly string[] }
  | { readonly conditional: Conditional }
  | { readonly conditional_at_least_one_of: ConditionalAtLeastOneOf }
  | { readonly custom_entity_check: CustomEntityCheck };
