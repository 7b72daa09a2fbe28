import type { Output, SendOutcome } from "../output.ts";
import { type Credentials, secretsOf } from "./credentials.ts";

const mask = "***";
/** The beginning of a secret up to this length may be shown. */
const harmlessLength = 3;

/**
 * Returns the same output with its credentials masked in every reason: an answer that quotes its request must not bring
 * them into the log, a dead letter or the dashboard.
 */
export function withoutSecrets(output: Output, credentials: Credentials): Output {
  const secrets = secretsOf(credentials);
  const hide = (text: string) => secrets.reduce(hideOne, text);

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

function hideOne(text: string, secret: string): string {
  let hidden = text.replaceAll(secret, mask);
  // A reason may have been cut in the middle of a secret.
  if (hidden.includes("…"))
    for (let length = secret.length - 1; length > harmlessLength; length--)
      hidden = hidden.replaceAll(`${secret.slice(0, length)}…`, `${mask}…`);
  return hidden;
}
