/** The suites of TLS 1.2 with forward secrecy and an authenticated cipher, which RFC 9325 4.2 recommends; OpenSSL's names. */
export const recommendedSuites = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
] as const;

/** For old clients: without an authenticated cipher, and, without ECDHE, without forward secrecy. */
const olderSuites = [
  "ECDHE-ECDSA-AES128-SHA",
  "ECDHE-RSA-AES128-SHA",
  "ECDHE-ECDSA-AES256-SHA",
  "ECDHE-RSA-AES256-SHA",
  "AES128-GCM-SHA256",
  "AES256-GCM-SHA384",
  "AES128-SHA",
  "AES256-SHA",
] as const;

/** Every suite of TLS 1.2 that `server.tls_ciphers` may name. Those of TLS 1.3 cannot be chosen. */
export const tls12Suites = [...recommendedSuites, ...olderSuites];
