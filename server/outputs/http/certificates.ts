import { readBoundedFile, UnreadableFileError } from "../../bounded-file.ts";

/** The certificate authorities that a system trusts have about 250 KB together. */
const maxAuthoritiesBytes = 8 * 1024 * 1024;

/**
 * What OpenSSL and BoringSSL call a certificate that is not trusted, not valid now, or another host's.
 * @see https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
const certificateErrors: ReadonlySet<string> = new Set([
  "CERT_CHAIN_TOO_LONG",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REJECTED",
  "CERT_REVOKED",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "CRL_HAS_EXPIRED",
  "CRL_NOT_YET_VALID",
  "CRL_SIGNATURE_FAILURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERROR_IN_CERT_NOT_AFTER_FIELD",
  "ERROR_IN_CERT_NOT_BEFORE_FIELD",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "HOSTNAME_MISMATCH",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
  "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
  "UNABLE_TO_DECRYPT_CRL_SIGNATURE",
  "UNABLE_TO_GET_CRL",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNKNOWN_CERTIFICATE_VERIFICATION_ERROR",
]);

/** True for the code of an error that lasts until somebody replaces the server's certificate or trusts it. */
export function isCertificateError(code: string): boolean {
  return certificateErrors.has(code);
}

/**
 * Reads the certificates of a key such as `elasticsearch_ca_file`, in PEM.
 * @throws Error that names the key and the file
 */
export async function readCertificateAuthorities(key: string, path: string): Promise<string> {
  try {
    return Buffer.from((await readBoundedFile(path, maxAuthoritiesBytes)).bytes).toString();
  } catch (cause) {
    if (!(cause instanceof UnreadableFileError)) throw cause;
    throw new Error(`output: ${key}: cannot read ${path}: ${cause.message}`, { cause });
  }
}
