import type { SendOutcome } from "../output.ts";
import { isCertificateError } from "./certificates.ts";
import { reasonText } from "./reason-text.ts";

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

/** What a failure means for the events that were to be sent. */
export function outcomeOfFailure({
  reason,
  isLasting,
}: HttpFailure): Extract<SendOutcome, { kind: "retry" | "hold" }> {
  return { kind: isLasting ? "hold" : "retry", reason };
}
