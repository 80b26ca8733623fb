/** The cookies that hold a session: one for now and, with `remember`, one for later. */
import type { Infer } from '../../schema.js';
import type { CookieAttributes } from '../shared/cookies.js';
import type { fields } from './schema.js';
import { hashedSubject, type Session } from './seal.js';
import { secondsLeft, type Timeouts } from './times.js';

export type Config = Infer<typeof fields>;

export interface Kind {
  readonly name: string;
  /** The one for later: it brings a session back that is over. */
  readonly isRemember: boolean;
  /** What a cookie is bound to besides the secret. */
  readonly purpose: string;
  readonly timeouts: Timeouts;
  readonly attributes: CookieAttributes;
}

const kinds = new WeakMap<Config, readonly Kind[]>();

/** Made once per configuration; the session's own comes first. */
export function kindsOf(config: Config): readonly Kind[] {
  let known = kinds.get(config);
  if (!known) {
    known = makeKinds(config);
    kinds.set(config, known);
  }
  return known;
}

function makeKinds(config: Config): readonly Kind[] {
  const attributes = {
    path: config.cookie_path,
    domain: config.cookie_domain,
    sameSite: config.cookie_same_site,
    httpOnly: config.cookie_http_only,
    secure: config.cookie_secure,
  };
  const session: Kind = {
    name: config.cookie_name ?? 'session',
    isRemember: false,
    purpose: `session ${config.audience}`,
    timeouts: {
      idling: config.idling_timeout ?? 0,
      rolling: config.rolling_timeout ?? 0,
      absolute: config.absolute_timeout ?? 0,
    },
    attributes,
  };
  if (!config.remember) return [session];
  const rolling = config.remember_rolling_timeout ?? 0;
  const absolute = config.remember_absolute_timeout ?? 0;
  const remember: Kind = {
    name: config.remember_cookie_name ?? 'remember',
    isRemember: true,
    purpose: `remember ${config.audience}`,
    timeouts: { idling: 0, rolling, absolute },
    attributes: { ...attributes, maxAge: rolling || absolute || null },
  };
  return [session, remember];
}

/** Values of the `Session-*` headers. Times are seconds that are left. */
export function sessionHeaders(config: Config, session: Session, now: number) {
  const left = secondsLeft(session, kindsOf(config)[0].timeouts, now);
  const subject = session.consumer ?? session.credential;
  return {
    id: session.id,
    audience: config.audience ?? 'default',
    subject: config.hash_subject ? hashedSubject(subject) : subject,
    timeout: String(left.next),
    'idling-timeout': String(left.idling),
    'rolling-timeout': String(left.rolling),
    'absolute-timeout': String(left.absolute),
  };
}
