/**
 * The schema of a plugin's `config`, as plain data: Kong's field attributes under Kong's names, so
 * that one description serves validation, defaults, types and the JSON Schema of editors.
 */

interface FieldCommon {
  /** True: absent and null are errors (unless there is a default). */
  readonly required?: boolean;
  readonly description?: string;
  /** The value must not appear in logs or in what the Admin API answers. */
  readonly encrypted?: boolean;
}

export interface StringField extends FieldCommon {
  readonly type: 'string';
  readonly default?: string;
  readonly one_of?: readonly string[];
  /** Default 1: the empty string is refused unless this is 0, as in Kong. */
  readonly len_min?: number;
  readonly len_max?: number;
  /** Regular expression that the whole value must match. */
  readonly match?: string;
  /** A parsed form: `url` (http or https), `header_name`, `host`, `path` (starts with a slash). */
  readonly format?: 'url' | 'header_name' | 'host' | 'path';
}

export interface NumberField extends FieldCommon {
  readonly type: 'number' | 'integer';
  readonly default?: number;
  readonly one_of?: readonly number[];
  /** Inclusive bounds. */
  readonly between?: readonly [number, number];
  /** Exclusive lower bound. */
  readonly gt?: number;
}

export interface BooleanField extends FieldCommon {
  readonly type: 'boolean';
  readonly default?: boolean;
}

export interface ArrayField extends FieldCommon {
  /** `set`: an array whose elements differ from each other. */
  readonly type: 'array' | 'set';
  readonly elements: FieldSchema;
  readonly default?: readonly unknown[];
  readonly len_min?: number;
}

export interface MapField extends FieldCommon {
  readonly type: 'map';
  readonly keys: StringField;
  readonly values: FieldSchema;
  readonly default?: Readonly<Record<string, unknown>>;
}

export interface RecordField extends FieldCommon {
  readonly type: 'record';
  readonly fields: Fields;
}

export type FieldSchema =
  | StringField
  | NumberField
  | BooleanField
  | ArrayField
  | MapField
  | RecordField;

export type Fields = { readonly [name: string]: FieldSchema };

/** Where a plugin may be configured and what holds between its fields. */
export interface PluginSchema<F extends Fields = Fields> {
  readonly fields: F;
  /** Scopes that a configuration may name; all of them where absent. */
  readonly scopes?: readonly ('service' | 'route' | 'consumer' | 'global')[];
  /** Protocols that the plugin accepts; http, https, grpc and grpcs where absent. */
  readonly protocols?: readonly ('http' | 'https' | 'grpc' | 'grpcs')[];
  /** At least one of these fields must be given. */
  readonly at_least_one_of?: readonly string[];
  /**
   * Checks that no attribute expresses, on the config with its defaults filled in.
   * Returns one message per fault, under the field it belongs to (`@entity` for the whole).
   */
  readonly check?: (config: Readonly<Record<string, unknown>>) => Readonly<Record<string, string>>;
}

type Present<S> = S extends { required: true } ? true : S extends { default: unknown } ? true : false;

type ValueOf<S> = S extends { type: 'string'; one_of: readonly (infer V)[] }
  ? V
  : S extends { type: 'string' }
    ? string
    : S extends { type: 'number' | 'integer' }
      ? number
      : S extends { type: 'boolean' }
        ? boolean
        : S extends { type: 'array' | 'set'; elements: infer E }
          ? readonly ValueOf<E>[]
          : S extends { type: 'map'; values: infer V }
            ? { readonly [key: string]: ValueOf<V> }
            : S extends { type: 'record'; fields: infer F }
              ? Infer<F>
              : unknown;

/** The TypeScript type of a valid config: fields without `required` or `default` may be null. */
export type Infer<F> = {
  readonly [K in keyof F]: Present<F[K]> extends true
    ? ValueOf<F[K]>
    : F[K] extends { type: 'record' }
      ? ValueOf<F[K]>
      : ValueOf<F[K]> | null;
};
