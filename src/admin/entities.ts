/** Read-only views of the configuration's entities with Kong's paging, look-up and errors. */
import type { Snapshot } from '../config/model.js';

export interface AdminAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Endpoint collections and the field that names an entity in a path. */
const collections: Readonly<Record<string, string>> = {
  upstreams: 'name',
  services: 'name',
  routes: 'name',
  consumers: 'username',
  consumer_groups: 'name',
  plugins: 'instance_name',
  'key-auths': 'key',
  'basic-auths': 'username',
  'hmac-auths': 'username',
  jwts: 'key',
  acls: 'group',
  oauth2: 'client_id',
  oauth2_tokens: 'access_token',
  'filter-chains': 'name',
  vaults: 'prefix',
  'key-sets': 'name',
  keys: 'name',
  certificates: 'id',
  ca_certificates: 'id',
  snis: 'name',
};

/** Collections whose path has another name, also the one below a consumer. */
const stored: Readonly<Record<string, string>> = {
  'key-auths': 'keyauth_credentials',
  'key-auth': 'keyauth_credentials',
  'basic-auths': 'basicauth_credentials',
  'basic-auth': 'basicauth_credentials',
  'hmac-auths': 'hmacauth_credentials',
  'hmac-auth': 'hmacauth_credentials',
  jwts: 'jwt_secrets',
  jwt: 'jwt_secrets',
  oauth2: 'oauth2_credentials',
  'filter-chains': 'filter_chains',
  'key-sets': 'key_sets',
};

/** Own members only: `/constructor` is no collection. */
const isListed = (name: string): boolean => Object.hasOwn(collections, name);

const notFound: AdminAnswer = { status: 404, body: { message: 'Not found' } };

/**
 * Answers `GET /services`, `/routes/{id or name}`, `/services/{s}/routes` and the like; null: no
 * such path.
 */
export function readEntities(
  parts: readonly string[],
  query: URLSearchParams,
  snapshot: Snapshot,
): AdminAnswer | null {
  const [collection, key, child] = parts;
  if (!isListed(collection) || parts.length > 3) return null;
  const all = rows(snapshot, collection);
  if (key === undefined && collection === 'consumers' && query.has('custom_id')) {
    return byCustomId(all, query.get('custom_id') ?? '');
  }
  if (key === undefined) return page(all, query, `/${collection}`);
  const found = all.find((row) => row.id === key || row[collections[collection]] === key);
  const reference = child === undefined ? undefined : references[child];
  if (found && child !== undefined && reference !== undefined && child in found) {
    const id = (found[child] as { id?: string } | null)?.id;
    const other = rows(snapshot, reference).find((row) => row.id === id);
    return other ? { status: 200, body: other } : notFound;
  }
  if (child !== undefined && !isListed(child) && !Object.hasOwn(stored, child)) return null;
  if (found === undefined) return notFound;
  if (child === undefined) return { status: 200, body: found };
  const field = collection.slice(0, -1);
  const children = rows(snapshot, child).filter((row) => {
    return (row[field] as { id?: string } | null | undefined)?.id === found.id;
  });
  return page(children, query, `/${collection}/${key}/${child}`);
}

/** Fields that name another entity, as the last part of a path: `/routes/{r}/service`. */
const references: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  service: 'services',
  route: 'routes',
  consumer: 'consumers',
  consumer_group: 'consumer_groups',
  certificate: 'certificates',
  client_certificate: 'certificates',
  set: 'key_sets',
});

function byCustomId(all: readonly Row[], wanted: string): AdminAnswer {
  if (wanted === '') {
    return { status: 400, body: { message: 'custom_id must be an unempty string' } };
  }
  const data = all.filter((row) => row.custom_id === wanted);
  return { status: 200, body: { data, next: null } };
}

export type Row = Record<string, unknown> & { readonly id: string };

/** Entities of a collection by id, references as `{ id }`. */
export function rows(snapshot: Snapshot, collection: string): Row[] {
  const name = stored[collection] ?? collection;
  const all = Object.values(snapshot.entities[name] ?? {}) as Row[];
  return all.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** One page of a list, as `size`, `offset` and `tags` of the query ask. */
export function page(all: readonly Row[], query: URLSearchParams, path: string): AdminAnswer {
  const size = query.has('size') ? Number(query.get('size')) : 100;
  if (Number.isNaN(size)) return invalid(9, 'invalid size', 'size must be a number');
  if (!Number.isInteger(size) || size < 1 || size > 1000) {
    return invalid(9, 'invalid size', 'size must be an integer between 1 and 1000');
  }
  const given = query.get('offset');
  const decoded = given === null ? '0' : Buffer.from(given, 'base64').toString('latin1');
  const from = Number(decoded);
  if (!/^\d{1,9}$/.test(decoded)) {
    return invalid(7, 'invalid offset', `'${given}' is not a valid offset: bad base64 encoding`);
  }
  const filter = tagFilter(query.get('tags'));
  if (typeof filter === 'string') {
    const options = { tags: filter };
    const message = `invalid option (tags: ${filter})`;
    return { status: 400, body: { code: 11, name: 'invalid options', message, options } };
  }
  const data = all.slice(from, from + size).filter(filter);
  if (from + size >= all.length) return { status: 200, body: { data, next: null } };
  const offset = Buffer.from(String(from + size), 'latin1').toString('base64');
  const kept = ['size', 'tags'].filter((name) => query.has(name));
  const rest = kept.map((name) => `&${name}=${encodeURIComponent(query.get(name) ?? '')}`).join('');
  const next = `${path}?offset=${encodeURIComponent(offset)}${rest}`;
  return { status: 200, body: { data, next, offset } };
}

const tagsMax = 5;

/** `a,b`: all of them, `a/b`: one of them. As in Kong the page is cut first, then filtered. */
function tagFilter(tags: string | null): ((row: Row) => boolean) | string {
  if (tags === null) return () => true;
  if (tags === '') return 'cannot be null';
  if (tags.includes(',') && tags.includes('/')) return 'invalid filter syntax';
  const wanted = tags.split(/[,/]/);
  if (wanted.includes('')) return 'invalid filter syntax';
  if (wanted.length > tagsMax) return `cannot query more than ${tagsMax} tags`;
  return (row) => {
    const has = (tag: string) => (row.tags as readonly string[] | null)?.includes(tag) ?? false;
    return tags.includes('/') ? wanted.some(has) : wanted.every(has);
  };
}

function invalid(code: number, name: string, message: string): AdminAnswer {
  return { status: 400, body: { code, name, message } };
}
