/** Known header fields: ids for switches and bit sets. Id 0 is every other field. */
import { isWord } from '../bytes';

export const H_OTHER: u32 = 0;
export const H_HOST: u32 = 1;
export const H_CONNECTION: u32 = 2;
export const H_CONTENT_LENGTH: u32 = 3;
export const H_TRANSFER_ENCODING: u32 = 4;
export const H_KEEP_ALIVE: u32 = 5;
export const H_TE: u32 = 6;
export const H_TRAILER: u32 = 7;
export const H_UPGRADE: u32 = 8;
export const H_PROXY_CONNECTION: u32 = 9;
export const H_EXPECT: u32 = 10;
export const H_PROXY: u32 = 11;
export const H_MAX_FORWARDS: u32 = 12;
export const H_VIA: u32 = 13;
export const H_X_FORWARDED_FOR: u32 = 14;
export const H_X_FORWARDED_PROTO: u32 = 15;
export const H_X_FORWARDED_HOST: u32 = 16;
export const H_X_FORWARDED_PORT: u32 = 17;
export const H_X_FORWARDED_PATH: u32 = 18;
export const H_X_FORWARDED_PREFIX: u32 = 19;
export const H_X_REAL_IP: u32 = 20;
export const H_REQUEST_ID: u32 = 21;
export const H_ACCEPT: u32 = 22;
export const H_CONTENT_TYPE: u32 = 23;
export const H_SERVER: u32 = 24;
export const H_DATE: u32 = 25;
export const H_KONG_DEBUG: u32 = 26;
export const H_HTTP2_SETTINGS: u32 = 27;
/** A field that the Connection header names. */
export const H_HOP: u32 = 28;
export const H_UPSTREAM_LATENCY: u32 = 29;
export const H_PROXY_LATENCY: u32 = 30;

/** Hop-by-hop fields, never forwarded (RFC 9110 7.6.1), both directions. */
export const HOP_BY_HOP: u32 =
  (1 << H_CONNECTION) |
  (1 << H_KEEP_ALIVE) |
  (1 << H_TE) |
  (1 << H_TRAILER) |
  (1 << H_UPGRADE) |
  (1 << H_PROXY_CONNECTION) |
  (1 << H_TRANSFER_ENCODING) |
  (1 << H_HTTP2_SETTINGS) |
  (1 << H_HOP);

/** Fields that `Connection: name` cannot remove: framing, routing and those we write ourselves. */
export const NOT_REMOVABLE: u32 =
  (1 << H_HOST) |
  (1 << H_CONTENT_LENGTH) |
  (1 << H_TRANSFER_ENCODING) |
  (1 << H_VIA) |
  (1 << H_X_FORWARDED_FOR) |
  (1 << H_X_FORWARDED_PROTO) |
  (1 << H_X_FORWARDED_HOST) |
  (1 << H_X_FORWARDED_PORT) |
  (1 << H_X_FORWARDED_PATH) |
  (1 << H_X_FORWARDED_PREFIX) |
  (1 << H_X_REAL_IP) |
  (1 << H_REQUEST_ID);

/** Id of the field name of n bytes at p. */
export function headerId(p: usize, n: u32): u32 {
  switch (n) {
    case 2: return isWord(p, n, 'te') ? H_TE : 0;
    case 3: return isWord(p, n, 'via') ? H_VIA : 0;
    case 4:
      if (isWord(p, n, 'host')) return H_HOST;
      return isWord(p, n, 'date') ? H_DATE : 0;
    case 5: return isWord(p, n, 'proxy') ? H_PROXY : 0;
    case 6:
      if (isWord(p, n, 'accept')) return H_ACCEPT;
      if (isWord(p, n, 'expect')) return H_EXPECT;
      return isWord(p, n, 'server') ? H_SERVER : 0;
    case 7:
      if (isWord(p, n, 'upgrade')) return H_UPGRADE;
      return isWord(p, n, 'trailer') ? H_TRAILER : 0;
    case 9: return isWord(p, n, 'x-real-ip') ? H_X_REAL_IP : 0;
    case 10:
      if (isWord(p, n, 'connection')) return H_CONNECTION;
      if (isWord(p, n, 'keep-alive')) return H_KEEP_ALIVE;
      return isWord(p, n, 'kong-debug') ? H_KONG_DEBUG : 0;
    case 12:
      if (isWord(p, n, 'content-type')) return H_CONTENT_TYPE;
      return isWord(p, n, 'max-forwards') ? H_MAX_FORWARDS : 0;
    case 14:
      if (isWord(p, n, 'content-length')) return H_CONTENT_LENGTH;
      return isWord(p, n, 'http2-settings') ? H_HTTP2_SETTINGS : 0;
    case 15: return isWord(p, n, 'x-forwarded-for') ? H_X_FORWARDED_FOR : 0;
    case 16:
      if (isWord(p, n, 'proxy-connection')) return H_PROXY_CONNECTION;
      if (isWord(p, n, 'x-forwarded-host')) return H_X_FORWARDED_HOST;
      if (isWord(p, n, 'x-forwarded-port')) return H_X_FORWARDED_PORT;
      return isWord(p, n, 'x-forwarded-path') ? H_X_FORWARDED_PATH : 0;
    case 17:
      if (isWord(p, n, 'transfer-encoding')) return H_TRANSFER_ENCODING;
      if (isWord(p, n, 'x-forwarded-proto')) return H_X_FORWARDED_PROTO;
      return isWord(p, n, 'x-kong-request-id') ? H_REQUEST_ID : 0;
    case 18:
      return isWord(p, n, 'x-forwarded-prefix') ? H_X_FORWARDED_PREFIX : 0;
    default: return longName(p, n);
  }
}

function longName(p: usize, n: u32): u32 {
  if (n == 20 && isWord(p, n, 'x-kong-proxy-latency')) return H_PROXY_LATENCY;
  if (n == 23 && isWord(p, n, 'x-kong-upstream-latency')) return H_UPSTREAM_LATENCY;
  return 0;
}
