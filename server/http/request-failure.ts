import { reasonText } from "./reason-text.ts";

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

/** A request without an answer. Whether the server carried it out is unknown. */
export interface HttpFailure {
  readonly kind: "failed";
  readonly reason: string;
  /** True if every further request fails until somebody fixes something: the certificate is not trusted. */
  readonly isLasting: boolean;
}

/** Describes an error of `fetch` or of reading its answer. @param signal the one that was given to `fetch` */
export function describeFailure(error: unknown, signal: AbortSignal): HttpFailure {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  if (signal.aborted || name === "TimeoutError") {
    const isLate =
      name === "TimeoutError" || (signal.reason as { name?: unknown } | undefined)?.name === "TimeoutError";
    const reason = isLate ? "no answer in time" : "stopped while waiting for the answer";
    return { kind: "failed", reason, isLasting: false };
  }
  const cause = typeof code === "string" ? code : reasonText(String(message ?? error));
  return { kind: "failed", reason: `no answer: ${cause}`, isLasting: isCertificateError(cause) };
}

/** True for the code of an error that lasts until somebody replaces the server's certificate or trusts it. */
function isCertificateError(code: string): boolean {
  return certificateErrors.has(code);
}
