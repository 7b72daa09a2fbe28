import type { HttpFailure } from "../../http/request-failure.ts";
import type { SendOutcome } from "../output.ts";

export type { HttpFailure } from "../../http/request-failure.ts";

/** What a failure means for the events that were to be sent. */
export function outcomeOfFailure({
  reason,
  isLasting,
}: HttpFailure): Extract<SendOutcome, { kind: "retry" | "hold" }> {
  return { kind: isLasting ? "hold" : "retry", reason };
}
