/**
 * The schema language of entities and of plugin configs: plain data with Kong's attribute names, so
 * that one description gives validation, defaults, error texts and the JSON Schema for editors.
 */
import type { EntityCheck } from './entity-check.js';
import type { Format } from './formats.js';

/** Property names and 0-based indexes from the root of a value to a place inside it. */
export type Path = readonly (string | number)[];

interface FieldCommon {
  /** Null and absence are errors, unless a default fills the absence in. Records: default true. */
  readonly required?: boolean;
  readonly description?: string;
  /** The value must not appear in logs, in error messages or in what the Admin API answers. */
  readonly encrypted?: boolean;
  /** Null takes the default, too, for fields that the request path reads without asking. */
  readonly null_is_default?: boolean;
  /** Strings: 32 random letters and digits where nothing is given. */
  readonly auto?: boolean;
  /** The only value allowed; null: the field must be absent. */
  readonly eq?: unknown;
  /** A value that is not allowed. */
  readonly ne?: unknown;
  /** Replaces the message of every validator. */
  readonly err?: string;
  /** Using the field gives a warning. */
  readonly deprecation?: Deprecation;
}

export interface Deprecation {
  readonly message: string;
  readonly removal_in_version?: string;
  /** Places, as paths from the record, that hold the value from now on. */
  readonly replaced_with?: readonly { readonly path: readonly string[] }[];
}

/** A pattern (ECMAScript, flag u; found anywhere in the value) and what is said against it. */
export interface PatternRule {
  readonly pattern: string;
  readonly err: string;
}

export interface StringField extends FieldCommon {
  readonly type: 'string';
  readonly default?: string;
  readonly one_of?: readonly string[];
  /** Allowed beside `one_of`, and not named where that is. */
  readonly also?: readonly string[];
  readonly not_one_of?: readonly string[];
  /** Bytes of UTF-8. Default 1: the empty string is refused unless this is 0, as in Kong. */
  readonly len_min?: number;
  readonly len_max?: number;
  readonly len_eq?: number;
  readonly starts_with?: string;
  /** Regular expression (ECMAScript, flag u) that the whole value must match. */
  readonly match?: string;
  /** Pattern that must not be found. */
  readonly not_match?: string;
  readonly match_none?: readonly PatternRule[];
  readonly match_all?: readonly PatternRule[];
  /** One of the patterns must be found. */
  readonly match_any?: { readonly patterns: readonly string[]; readonly err: string };
  /** The value must be a UUID in its canonical form. */
  readonly uuid?: boolean;
  /** The value must be a regular expression that the gateway runs. */
  readonly is_regex?: boolean;
  /** A named form such as `url` or `host`; see formats.ts. */
  readonly format?: Format;
  /** `{vault://...}` may stand for the value, which is then not looked at; see vault.ts. */
  readonly referenceable?: boolean;
  /** Returns the fault of a value, undefined where there is none. */
  readonly check?: (value: string) => string | undefined;
}

export interface NumberField extends FieldCommon {
  readonly type: 'number' | 'integer';
  readonly default?: number;
  readonly one_of?: readonly number[];
  readonly not_one_of?: readonly number[];
  /** The value must be greater than zero. */
  readonly timestamp?: boolean;
  /** Inclusive bounds. */
  readonly between?: readonly [number, number];
  /** Exclusive lower bound. */
  readonly gt?: number;
  readonly check?: (value: number) => string | undefined;
}

export interface BooleanField extends FieldCommon {
  readonly type: 'boolean';
  readonly default?: boolean;
}

export interface ArrayField extends FieldCommon {
  /** `set`: duplicates are dropped. */
  readonly type: 'array' | 'set';
  readonly elements: FieldSchema;
  readonly default?: readonly unknown[];
  readonly len_min?: number;
  readonly len_max?: number;
  readonly len_eq?: number;
  /** A value that must be among the elements. */
  readonly contains?: unknown;
  /** All elements must come from one of these lists. */
  readonly mutually_exclusive_subsets?: readonly (readonly unknown[])[];
  readonly check?: (value: readonly unknown[]) => string | undefined;
}

export interface MapField extends FieldCommon {
  readonly type: 'map';
  readonly keys: StringField;
  readonly values: FieldSchema;
  readonly default?: Readonly<Record<string, unknown>>;
  readonly len_min?: number;
  readonly len_max?: number;
  readonly len_eq?: number;
}

export interface RecordField extends FieldCommon, RecordSchema {
  readonly type: 'record';
  /** Input where the record is absent; the fields' own defaults fill the rest. */
  readonly default?: Readonly<Record<string, unknown>>;
}

/** A reference to another entity: its id or name as a string, or `{ id }`, `{ name }`. */
export interface ForeignField extends FieldCommon {
  readonly type: 'foreign';
  /** Collection name, such as `services`. */
  readonly reference: string;
}

/** Anything that JSON can hold. */
export interface AnyField extends FieldCommon {
  readonly type: 'any';
  readonly default?: unknown;
}

export type FieldSchema =
  | StringField
  | NumberField
  | BooleanField
  | ArrayField
  | MapField
  | RecordField
  | ForeignField
  | AnyField;

export type Fields = { readonly [name: string]: FieldSchema };

/**
 * Messages by field (dotted path), `@entity` for the whole record, or `@entity:field` for the whole
 * record with the position of a field; empty: no fault.
 */
export type Faults = Readonly<Record<string, string>>;

/** An input-only name of other fields. */
export interface Shorthand {
  /** The type of what is given; any where absent. */
  readonly type?: FieldSchema['type'];
  /** Turns the value into real fields; throws an Error with Kong's text for a bad value. */
  readonly expand: (value: unknown) => Readonly<Record<string, unknown>>;
  /** With `replaced_with` the old name is shown again, and must not contradict the new one. */
  readonly deprecation?: Deprecation;
}

export interface RecordSchema {
  readonly fields: Fields;
  readonly entity_checks?: readonly EntityCheck[];
  /** Short for an entity check of that name. */
  readonly at_least_one_of?: readonly string[];
  /**
   * Input-only names. What a function, or a shorthand's `expand`, makes of the value wins over the
   * same fields given directly; records are merged.
   */
  readonly shorthand_fields?: Readonly<Record<string, Shorthand | Shorthand['expand']>>;
  /** Adjusts the input before validation, such as a default that hangs on another field. */
  readonly prepare?: (input: Readonly<Record<string, unknown>>) => Record<string, unknown>;
  /** What no attribute expresses; sees the record with its defaults, only if it has no error. */
  readonly check?: (value: Readonly<Record<string, unknown>>) => Faults;
}

/** The schema of a plugin's `config` and where the plugin may be attached. */
export interface PluginSchema extends RecordSchema {
  /**
   * Scopes that a configuration may name; all of them where absent. A plugin for consumers is one
   * for consumer groups, too.
   */
  readonly scopes?: readonly ('service' | 'route' | 'consumer' | 'consumer_group' | 'global')[];
  /** Protocols that the plugin accepts; http, https, grpc and grpcs where absent. */
  readonly protocols?: readonly string[];
}

/** Plugins by name; a map of plugin definitions is one. */
export type PluginSchemas = ReadonlyMap<string, { readonly schema: PluginSchema }>;

export interface SchemaError {
  readonly path: Path;
  /** Kong's text. */
  readonly message: string;
  /** What the message is about: a value, a key (unknown field), or a record as a whole. */
  readonly at: 'value' | 'key' | 'entity';
  /** Where the value was given, if not at `path`: under a shorthand name. */
  readonly given?: Path;
  /** What to do about it, such as the nearest valid name. */
  readonly hint?: string;
}

export interface Validated {
  /** The input with defaults, null for what is not set; unusable where there are errors. */
  readonly value: Record<string, unknown>;
  readonly errors: readonly SchemaError[];
}
