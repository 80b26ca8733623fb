/** The certificate of a node that was given none: made once, so that all its listeners show it. */
import type { Settings } from '../config/settings.js';
import { selfSigned } from './self-signed.js';

/** The settings, with a certificate where a listener needs one and none is given. */
export function withCertificate(settings: Settings, nowMs: number): Settings {
  const { proxyListen, adminListen, tls } = settings;
  const isNeeded = [...proxyListen, ...adminListen].some(({ ssl }) => ssl);
  if (!isNeeded || tls.sslCert.length > 0 || tls.sslCertKey.length > 0) return settings;
  const { cert, key } = selfSigned(nowMs);
  return Object.freeze({ ...settings, tls: { ...tls, sslCert: [cert], sslCertKey: [key] } });
}
