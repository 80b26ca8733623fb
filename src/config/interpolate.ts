/** `${NAME}` and `${NAME:-default}` inside the strings of a configuration. */

type Environment = Readonly<Record<string, string | undefined>>;

export interface Interpolated {
  readonly text: string;
  /** Messages that name variables, never values. */
  readonly faults: readonly string[];
}

const reference = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/**
 * Replaces references. The default stands for a variable that is not set or empty, as in a shell;
 * `$${` gives a literal `${`. Values are taken as they are: nothing in them is replaced again.
 */
export function interpolate(source: string, env: Environment): Interpolated {
  const faults: string[] = [];
  const text = source.replace(reference, (whole, name?: string, fallback?: string) => {
    if (whole === '$${') return '${';
    if (name === undefined) {
      faults.push("'${' must be followed by NAME} or NAME:-default}; write '$${' for a plain '${'");
      return whole;
    }
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (fallback !== undefined) return value ? value : fallback;
    if (value !== undefined) return value;
    faults.push(`environment variable '${name}' is not set and has no default`);
    return whole;
  });
  return { text, faults };
}
