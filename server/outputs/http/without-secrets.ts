import { type Credentials, secretsOf } from "../../http/credentials.ts";
import { hideSecrets } from "../../text/hide-secrets.ts";
import type { Output, SendOutcome } from "../output.ts";

/**
 * Returns the same output with its credentials masked in every reason: an answer that quotes its request must not bring
 * them into the log, a dead letter or the dashboard.
 */
export function withoutSecrets(output: Output, credentials: Credentials): Output {
  const secrets = secretsOf(credentials);
  const hide = (text: string) => hideSecrets(text, secrets);

  function hideIn(outcome: SendOutcome): SendOutcome {
    if (outcome.kind === "delivered") return outcome;
    const reason = hide(outcome.reason);
    if (outcome.kind !== "judged") return { ...outcome, reason };
    const rejected = outcome.rejected.map((one) => ({ ...one, reason: hide(one.reason) }));
    return { ...outcome, reason, rejected };
  }

  return {
    ...output,
    async send(delivery, signal) {
      try {
        return hideIn(await output.send(delivery, signal));
      } catch (error) {
        throw new Error(hide(error instanceof Error ? error.message : String(error)));
      }
    },
  };
}
