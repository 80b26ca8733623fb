/**
 * The scenario `plugins`: what each plugin costs. One gateway per row, all with the same route and
 * upstream; the first row has no plugin, and the others are compared with it.
 */
import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';

const key = (index) => `key-${String(index).padStart(4, '0')}`;
const keyHeader = ['apikey', key(0)];

/** Consumers with every kind of credential, as declarative configuration has them. */
function consumers(count) {
  return Array.from({ length: count }, (_, index) => ({
    username: `consumer-${index}`,
    keyauth_credentials: [{ key: key(index) }],
    acls: [{ group: 'users' }],
    ...(index === 0 && {
      basicauth_credentials: [{ username: 'bench', password: 'secret' }],
      jwt_secrets: [{ key: 'bench', secret: 'secret' }],
    }),
  }));
}

function token() {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss: 'bench' })}`;
  return `${text}.${createHmac('sha256', 'secret').update(text).digest('base64url')}`;
}

const basic = `Basic ${Buffer.from('bench:secret').toString('base64')}`;
const limited = { name: 'rate-limiting', config: { second: 1_000_000, policy: 'local' } };
const keyed = { name: 'key-auth' };
const file = (name) => fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
const own = (name) => ({
  plugins: [{ name }],
  env: { KONG_PLUGINS: `bundled,${file(name)}` },
});
const transformed = {
  name: 'request-transformer',
  config: { add: { headers: ['X-Added:1'] }, remove: { headers: ['X-Removed'] } },
};

const thousand = { keys: Array.from({ length: 1000 }, (_, index) => key(index)) };

/** Rows: [label, options of startSubject, options of the load]. */
const rows = [
  ['none', {}],
  ['key-auth', { plugins: [keyed] }, { headers: [keyHeader] }],
  ['rate-limiting', { plugins: [limited] }],
  ['both with 1 consumer', { plugins: [keyed, limited] }, { headers: [keyHeader] }],
  ['both with 1000', { plugins: [keyed, limited], consumers: consumers(1000) }, thousand],
  ['cors', { plugins: [{ name: 'cors' }] }],
  ['ip-restriction', { plugins: [{ name: 'ip-restriction', config: { allow: ['127.0.0.0/8'] } }] }],
  ['correlation-id', { plugins: [{ name: 'correlation-id', config: { echo_downstream: true } }] }],
  ['request-transformer', { plugins: [transformed] }],
  [
    'response-transformer',
    { plugins: [{ name: 'response-transformer', config: { add: { headers: ['X-Added:1'] } } }] },
  ],
  [
    'termination untriggered',
    { plugins: [{ name: 'request-termination', config: { trigger: 'x-stop' } }] },
  ],
  [
    'termination',
    { plugins: [{ name: 'request-termination', config: { status_code: 200, message: 'ok' } }] },
  ],
  ['jwt', { plugins: [{ name: 'jwt' }] }, { headers: [['Authorization', `Bearer ${token()}`]] }],
  ['basic-auth', { plugins: [{ name: 'basic-auth' }] }, { headers: [['Authorization', basic]] }],
  [
    'key-auth and acl',
    { plugins: [keyed, { name: 'acl', config: { allow: ['users'] } }] },
    { headers: [keyHeader] },
  ],
  ['bot-detection', { plugins: [{ name: 'bot-detection' }] }],
  ['prometheus', { plugins: [{ name: 'prometheus' }] }],
  ['user plugin sync', own('user-sync')],
  ['user plugin async', own('user-async')],
];

/** Others with what the row `both with 1000` has, and without it. */
const peers = ['nginx with Lua', 'fast-gateway'].flatMap((name) => [
  [name, { features: false, load: {} }, name],
  [`${name}, both with 1000`, { features: true, load: thousand }, name],
]);
const likePeers = 'both with 1000';

export const plugins = {
  bodyBytes: 100,
  peers: false,
  costs: true,
  variants: [
    ...rows.map(([label, options, load = {}]) => [
      label,
      { driver: 'native', consumers: consumers(1), ...options, load },
    ]),
    ...peers,
  ],
};

/** Prints user and whole CPU time of every row beside those of the first. */
export function reportCosts(rows) {
  const [none] = rows;
  console.log('plugins on               us/req: user   more  ratio   user+sys   more  ratio');
  for (const row of rows) {
    const columns = ['user', 'cpu'].map((field) => {
      const more = row[field] - none[field];
      const ratio = row[field] / none[field];
      const numbers = [row[field], more, ratio];
      return numbers.map((number) => number.toFixed(2).padStart(6)).join(' ');
    });
    const errors = row.errors > 0 ? `  ${row.errors} errors` : '';
    const lead = columns[0].padStart(22);
    console.log(`${row.label.padEnd(24)}${lead}${columns[1].padStart(24)}${errors}`);
  }
  reportPeers(rows);
}

/** Headgate's CPU time for keys and limits beside that of others: below 1 it is cheaper. */
function reportPeers(rows) {
  const ours = rows.find(({ label }) => label === likePeers);
  const others = rows.filter(({ label }) => label.endsWith(`, ${likePeers}`));
  if (!ours) return;
  for (const { label, cpu } of others) {
    const ratio = (ours.cpu / cpu).toFixed(2);
    console.log(
      `${label}: ${cpu.toFixed(1)} us per request, Headgate ${ours.cpu.toFixed(1)} us: ${ratio}`,
    );
  }
}
