import type { Delivery, Output, SendOutcome } from "../output.ts";

/** The kind of a failure, from a fixed list because it is a label in metrics. */
export type ErrorClass = "retry" | "hold" | "rejected" | "split" | "timeout" | "stopped" | "defect" | "disk";

export interface Attempt {
  readonly outcome: SendOutcome;
  /** undefined: the attempt succeeded. */
  readonly errorClass: ErrorClass | undefined;
}

/**
 * Sends once. Never rejects, and ends after `timeoutMs` or when `aborting` aborts, even if the output observes neither:
 * a half-open connection stays silent for minutes.
 */
export async function attemptDelivery(
  output: Output,
  delivery: Delivery,
  timeoutMs: number,
  aborting: AbortSignal,
): Promise<Attempt> {
  // Not AbortSignal.timeout and AbortSignal.any: their timers and listeners would outlive each of thousands of attempts.
  const controller = new AbortController();
  const { signal } = controller;
  const ended = Promise.withResolvers<Attempt>();
  const end = (errorClass: ErrorClass, reason: string) => {
    ended.resolve({ outcome: { kind: "retry", reason }, errorClass });
    controller.abort(new Error(reason));
  };
  const stop = () => end("stopped", "stopped while sending");
  const timer = setTimeout(() => end("timeout", `no answer within ${timeoutMs} ms`), timeoutMs);
  aborting.addEventListener("abort", stop);
  if (aborting.aborted) stop();
  try {
    const sent = output
      .send(delivery, signal)
      .then((outcome) => ({ outcome, errorClass: errorClassOf(outcome) }));
    return await Promise.race([ended.promise, sent]);
  } catch (error) {
    const reason = `BUG: output ${output.name} failed: ${(error as Error).message}`;
    return { outcome: { kind: "retry", reason }, errorClass: "defect" };
  } finally {
    clearTimeout(timer);
    aborting.removeEventListener("abort", stop);
  }
}

function errorClassOf(outcome: SendOutcome): ErrorClass | undefined {
  if (outcome.kind === "delivered") return undefined;
  if (outcome.kind === "suspect") return "retry";
  if (outcome.kind !== "judged") return outcome.kind;
  if (outcome.retry.length > 0) return "retry";
  return outcome.rejected.length > 0 ? "rejected" : undefined;
}
