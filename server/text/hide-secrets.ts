const mask = "***";
/** The beginning of a secret up to this length may be shown. */
const harmlessLength = 3;

/** The text with each secret replaced by "***". @param secrets the longest first, none of them empty */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce(hideOne, text);
}

function hideOne(text: string, secret: string): string {
  let hidden = text.replaceAll(secret, mask);
  // A reason may have been cut in the middle of a secret.
  if (hidden.includes("…"))
    for (let length = secret.length - 1; length > harmlessLength; length--)
      hidden = hidden.replaceAll(`${secret.slice(0, length)}…`, `${mask}…`);
  return hidden;
}
