import type { Output, SendOutcome } from "./output.ts";

export interface Credentials {
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** The encoded key, or `id:key`. */
  readonly apiKey?: string | undefined;
}

const mask = "***";
/** So much of the beginning of a secret tells nothing yet. */
const harmlessLength = 3;

/**
 * The same output, with its credentials hidden in every reason: a proxy that shows what it was sent must not bring them
 * into the log, a dead letter or the dashboard.
 */
export function withoutSecrets(output: Output, credentials: Credentials): Output {
  const secrets = secretsOf(credentials);
  const hide = (text: string) => secrets.reduce(hideOne, text);

  function hideIn(outcome: SendOutcome): SendOutcome {
    if (outcome.kind === "delivered") return outcome;
    const reason = hide(outcome.reason);
    if (outcome.kind !== "judged") return { ...outcome, reason };
    const refused = outcome.refused.map((one) => ({ ...one, reason: hide(one.reason) }));
    return { ...outcome, reason, refused };
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

/** As they are and as headers carry them. */
function secretsOf({ user, password, apiKey }: Credentials): readonly string[] {
  const secrets: string[] = [];
  if (password !== undefined) secrets.push(password, base64(`${user ?? "default"}:${password}`));
  if (apiKey !== undefined) secrets.push(apiKey, base64(apiKey), apiKey.slice(apiKey.indexOf(":") + 1));
  // The longest first: what hides a part of it would leave the rest.
  return secrets.filter((secret) => secret !== "").sort((a, b) => b.length - a.length);
}

function hideOne(text: string, secret: string): string {
  let hidden = text.replaceAll(secret, mask);
  // Reasons are cut, perhaps in the middle of one.
  if (hidden.includes("…"))
    for (let length = secret.length - 1; length > harmlessLength; length--)
      hidden = hidden.replaceAll(`${secret.slice(0, length)}…`, `${mask}…`);
  return hidden;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
