/**
 * References to secrets: `{vault://<vault>/<resource>[/<key>][?<config>][#<version>]}`, the whole
 * text and nothing else (kong-config reference, section 7). The vault `env` is the environment.
 */

type Environment = Readonly<Record<string, string | undefined>>;

const form = /^\{vault:\/\/([a-z][a-z0-9-]*)\/([^{}?#]+)(?:\?([^{}#]*))?(?:#(\d+))?\}$/i;

/** Whether a text is a reference, of whatever vault. */
export function isReference(text: unknown): text is string {
  return typeof text === 'string' && form.test(text);
}

/** Prefixes of the configuration's own vaults: what stands before the names of variables. */
export type VaultPrefixes = ReadonlyMap<string, string>;

/** The secret behind a reference; null where the vault or the secret does not exist. */
export function resolveReference(
  reference: string,
  env: Environment,
  vaults?: VaultPrefixes,
): string | null {
  const parts = form.exec(reference);
  if (!parts) return null;
  const [, vault, path, query = '', version] = parts;
  const own = vaults?.get(vault);
  if (vault !== 'env' && own === undefined) return null;
  const options = new URLSearchParams(query);
  const prefix = options.get('prefix') ?? own ?? '';
  const { resource, key } = splitPath(path);
  const name = variableName(prefix + resource);
  const value = env[version === '2' ? `${name}_PREVIOUS` : name];
  if (value === undefined) return null;
  return key === null ? value : memberOf(value, key);
}

/** The last of several parts is a member of the JSON at the resource, unless a slash ends it. */
function splitPath(path: string): { resource: string; key: string | null } {
  if (path.endsWith('/')) return { resource: path.slice(0, -1), key: null };
  const slash = path.lastIndexOf('/');
  if (slash < 0) return { resource: path, key: null };
  return { resource: path.slice(0, slash), key: path.slice(slash + 1) };
}

const variableName = (text: string): string => text.replaceAll('-', '_').toUpperCase();

function memberOf(text: string, key: string): string | null {
  try {
    const object: unknown = JSON.parse(text);
    if (typeof object !== 'object' || object === null || !Object.hasOwn(object, key)) return null;
    const value = (object as Record<string, unknown>)[key];
    return typeof value === 'string' ? value : JSON.stringify(value);
  } catch {
    return null;
  }
}
