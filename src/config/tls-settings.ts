/** From the settings about TLS to what listeners and upstreams use of them. */
import type { TlsSettings } from '../tls/settings.js';
import type { SettingValues } from './setting-table.js';

const cipherSuites = {
  modern: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  intermediate: [
    'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
};

/** Every version of TLS, with the ciphers that clients of its age have. */
const oldCiphers = [
  cipherSuites.intermediate,
  'DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384',
  'ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA256:DHE-RSA-AES256-SHA256',
  'AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA',
  // below its first level OpenSSL lets TLS 1.0 and 1.1 sign
  'DES-CBC3-SHA:@SECLEVEL=0',
].join(':');
const oldProtocols = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** What the settings about TLS come to. A suite that is named brings its versions along. */
export function tlsSettings(values: SettingValues): TlsSettings {
  return {
    ...suiteOf(values),
    sslCert: values.ssl_cert,
    sslCertKey: values.ssl_cert_key,
    adminSslCert: values.admin_ssl_cert,
    adminSslCertKey: values.admin_ssl_cert_key,
    sslPreferServerCiphers: values.ssl_prefer_server_ciphers,
    sslSessionTickets: values.ssl_session_tickets,
    sslSessionTimeoutMs: values.ssl_session_timeout,
    clientSsl: values.client_ssl,
    clientSslCert: values.client_ssl_cert,
    clientSslCertKey: values.client_ssl_cert_key,
    trustedCertificates: values.lua_ssl_trusted_certificate,
    verifyDepth: values.lua_ssl_verify_depth,
  };
}

function suiteOf(values: SettingValues): Pick<TlsSettings, 'sslProtocols' | 'sslCiphers'> {
  const { intermediate, modern } = cipherSuites;
  switch (values.ssl_cipher_suite) {
    case 'modern':
      return { sslProtocols: ['TLSv1.3'], sslCiphers: modern };
    case 'old':
      return { sslProtocols: oldProtocols, sslCiphers: oldCiphers };
    case 'custom':
      return {
        sslProtocols: values.ssl_protocols,
        sslCiphers: values.ssl_ciphers ?? intermediate,
      };
    default:
      return { sslProtocols: values.ssl_protocols, sslCiphers: intermediate };
  }
}
