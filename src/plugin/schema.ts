/** The schema of a plugin's `config` as plugins see it, and the TypeScript type it stands for. */
import type { PluginSchema as ConfigPluginSchema, Fields } from '../config/schema/field.js';

export type {
  ArrayField,
  BooleanField,
  FieldSchema,
  Fields,
  MapField,
  NumberField,
  RecordField,
  StringField,
} from '../config/schema/field.js';

/** Where a plugin may be configured, its fields, and what holds between them. */
export type PluginSchema<F extends Fields = Fields> = ConfigPluginSchema & { readonly fields: F };

type Present<S> = S extends { required: true }
  ? true
  : S extends { default: unknown }
    ? true
    : S extends { type: 'record'; required?: true }
      ? true
      : false;

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

/** The type of a valid config: fields that are not required and have no default may be null. */
export type Infer<F> = {
  readonly [K in keyof F]: Present<F[K]> extends true ? ValueOf<F[K]> : ValueOf<F[K]> | null;
};
