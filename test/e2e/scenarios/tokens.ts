/** jwt, with every kind of key. */
import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Scenario } from '../../support/scenario.js';
import { ask, plugin, scenario } from './build.js';

type Claims = Readonly<Record<string, unknown>>;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(claims: Claims, header: object, signer: (text: string) => Buffer): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${signer(text).toString('base64url')}`;
}

const secret = 'a-very-secret-string-0123456789';
const withSecret = (bits: number) => (text: string) =>
  createHmac(`sha${bits}`, secret).update(text).digest();
const hs256 = (claims: Claims, header: object = {}) =>
  token(claims, { typ: 'JWT', alg: 'HS256', ...header }, withSecret(256));

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const;

/** A credential and a token for each asymmetric algorithm. */
function asymmetric(): { algorithm: string; rsa_public_key: string; text: string }[] {
  const made: { algorithm: string; rsa_public_key: string; text: string }[] = [];
  const add = (algorithm: string, key: KeyObject, signer: (text: string) => Buffer) => {
    const text = token({ iss: algorithm }, { typ: 'JWT', alg: algorithm }, signer);
    made.push({ algorithm, rsa_public_key: pem(key), text });
  };
  for (const bits of [256, 384, 512]) {
    const hash = `sha${bits}`;
    add(`RS${bits}`, rsa.publicKey, (text) => sign(hash, Buffer.from(text), rsa.privateKey));
    add(`PS${bits}`, rsa.publicKey, (text) =>
      sign(hash, Buffer.from(text), { key: rsa.privateKey, ...pss, saltLength: bits / 8 }),
    );
  }
  for (const [algorithm, namedCurve] of Object.entries(curves)) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const };
    add(algorithm, publicKey, (text) => sign(`sha${algorithm.slice(2)}`, Buffer.from(text), key));
  }
  for (const kind of ['ed25519', 'ed448'] as const) {
    const { publicKey, privateKey } = generateKeyPairSync(kind as 'ed25519');
    add('EdDSA', publicKey, (text) => sign(null, Buffer.from(text), privateKey));
  }
  return made;
}

const setup = (config: object = {}, credential: object = {}) => ({
  plugins: [plugin('jwt', config)],
  consumers: [{ username: 'bob', jwt_secrets: [{ key: 'i', secret, ...credential }] }],
});
const bearer = (text: string) => ({ headers: { authorization: `Bearer ${text}` } });
const passed = {
  status: 200,
  upstream_saw: { headers: { 'x-consumer-username': 'bob', 'x-credential-identifier': 'i' } },
};
const refused = (body: object, challenge = 'Bearer error="invalid_token"') => ({
  status: 401,
  headers: { 'www-authenticate': challenge },
  body_json_equals: body,
  upstream_saw: null,
});
const bad = (text: string) => refused({ message: `Bad token; ${text}` });
const now = Math.floor(Date.now() / 1000);
const good = hs256({ iss: 'i' });
const [head, claims, signature] = good.split('.');

const forms: Scenario[] = [
  scenario(
    'tokens that are none',
    setup(),
    ask(bearer('abc'), bad('invalid JSON')),
    ask(bearer(`${head}.${claims}`), bad('invalid JSON')),
    ask(bearer(`!!.${claims}.x`), bad('invalid JSON')),
    ask(bearer(`${good}.x`), bad('invalid signature')),
    ask(bearer(`${head}.${claims}.`), refused({ message: 'Invalid signature' })),
    ask(bearer(hs256({ iss: 'i' }, { alg: 'none' })), bad('invalid alg')),
    ask(bearer(hs256({ iss: 'i' }, { typ: 'JWE' })), bad('invalid typ')),
    ask(bearer(hs256({ iss: 'i' }, { typ: 'jwt' })), passed),
    ask(bearer(`${head}.${claims}.${signature.slice(0, -4)}`), {
      ...refused({ message: 'Invalid signature' }),
    }),
  ),
  scenario(
    'where tokens come from',
    setup({ cookie_names: ['c'], header_names: ['x-token', 'authorization'] }),
    ask({ path: `/p?jwt=${good}`, headers: { cookie: `a=1; c=${good}` } }, passed),
    ask({ headers: { 'x-token': `bearer ${good}` } }, passed),
    ask({ headers: { 'x-token': good } }, refused({ message: 'Unauthorized' }, 'Bearer')),
    ask(
      { path: `/p?jwt=${good}`, headers: { authorization: 'Bearer x.y.z' } },
      refused({ message: 'Multiple tokens provided' }),
    ),
    ask({ path: `/p?jwt=${good}&jwt=x` }, refused({ message: 'Multiple tokens provided' })),
    ask({ path: '/p?jwt' }, refused({ message: 'Unrecognizable token' })),
    ask({ path: '/p?jwt=' }, refused({ message: 'Unauthorized' }, 'Bearer')),
  ),
  scenario(
    'whose tokens',
    setup({ realm: 'r' }),
    ask(
      bearer(hs256({})),
      refused(
        { message: "No mandatory 'iss' in claims" },
        'Bearer realm="r", error="invalid_token"',
      ),
    ),
    ask(
      bearer(hs256({ iss: 'other' })),
      refused(
        { message: "No credentials found for given 'iss'" },
        'Bearer realm="r", error="invalid_token"',
      ),
    ),
    ask({}, refused({ message: 'Unauthorized' }, 'Bearer realm="r"')),
  ),
  scenario(
    'a secret in base64',
    setup({ secret_is_base64: true }, { secret: Buffer.from(secret).toString('base64url') }),
    ask(bearer(good), passed),
  ),
];

const times: Scenario[] = [
  scenario(
    'exp and nbf',
    setup({ claims_to_verify: ['exp', 'nbf'] }),
    ask(bearer(hs256({ iss: 'i', exp: now + 60, nbf: now - 60 })), passed),
    ask(
      bearer(hs256({ iss: 'i', exp: now - 1, nbf: now + 60 })),
      refused({ exp: 'token expired', nbf: 'token not valid yet' }),
    ),
    ask(
      bearer(hs256({ iss: 'i', exp: 'x' })),
      refused({ exp: 'must be a number', nbf: 'must be a number' }),
    ),
  ),
  scenario(
    'maximum_expiration',
    setup({ claims_to_verify: ['exp'], maximum_expiration: 100 }),
    ask(bearer(hs256({ iss: 'i', exp: now + 60 })), passed),
    ask(
      bearer(hs256({ iss: 'i', exp: now + 600 })),
      refused({ exp: 'exceeds maximum allowed expiration' }),
    ),
  ),
];

const keys = asymmetric();
const algorithms = keys.map(({ algorithm, rsa_public_key, text }, i) =>
  scenario(
    `${algorithm} (${i})`,
    {
      plugins: [plugin('jwt')],
      consumers: [
        { username: 'bob', jwt_secrets: [{ key: algorithm, algorithm, rsa_public_key }] },
      ],
    },
    ask(bearer(text), { status: 200 }),
    ask(bearer(`${text.slice(0, -8)}AAAAAAAA`), refused({ message: 'Invalid signature' })),
    ask(bearer(text.split('.', 2).concat('AAAA').join('.')), {
      ...refused({ message: 'Invalid signature' }),
    }),
  ),
);

export const tokenDetails: readonly Scenario[] = [...forms, ...times, ...algorithms];
