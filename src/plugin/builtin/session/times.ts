/** When sessions end, and when their cookies are made anew. */
import type { Session } from './seal.js';

/** Seconds; 0: no such end. */
export interface Timeouts {
  readonly idling: number;
  readonly rolling: number;
  readonly absolute: number;
}

/** Seconds of use that may go unrecorded, so that not every answer carries a cookie. */
const touchSeconds = 60;
/** Share of the rolling time after which a session is made anew. */
const rollShare = 0.75;

export function isOver(session: Session, { idling, rolling, absolute }: Timeouts, now: number) {
  const past = (since: number, seconds: number) => seconds > 0 && now - since >= seconds;
  const { began, rolled, used } = session;
  return past(used, idling) || past(rolled, rolling) || past(began, absolute);
}

/** The session to send from now on; the same object where the client's cookie will do. */
export function refreshed(session: Session, { idling, rolling }: Timeouts, now: number): Session {
  if (rolling > 0 && now - session.rolled >= rolling * rollShare) {
    return { ...session, rolled: now, used: now };
  }
  const unrecorded = Math.min(touchSeconds, idling / 4);
  if (idling > 0 && now - session.used >= unrecorded) return { ...session, used: now };
  return session;
}

/** Seconds left by each timeout; 0 where there is none. */
export function secondsLeft(session: Session, timeouts: Timeouts, now: number) {
  const left = (since: number, seconds: number) =>
    seconds > 0 ? Math.max(0, Math.floor(since + seconds - now)) : 0;
  const idling = left(session.used, timeouts.idling);
  const rolling = left(session.rolled, timeouts.rolling);
  const absolute = left(session.began, timeouts.absolute);
  const some = [idling, rolling, absolute].filter((one) => one > 0);
  return { idling, rolling, absolute, next: some.length > 0 ? Math.min(...some) : 0 };
}
