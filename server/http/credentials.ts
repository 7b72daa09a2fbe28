/** How a request proves that it may write. Without user and API key it has no authentication. */
export interface Credentials {
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Used instead of user and password: the encoded key, or `id:key`. */
  readonly apiKey?: string | undefined;
}

/** The value of the header `Authorization`; undefined: none. */
export function authorizationOf({ user, password, apiKey }: Credentials): string | undefined {
  if (apiKey !== undefined) return `ApiKey ${apiKey.includes(":") ? base64(apiKey) : apiKey}`;
  return user === undefined ? undefined : `Basic ${base64(`${user}:${password ?? ""}`)}`;
}

/** The secrets among the credentials, as they are and as headers carry them, the longest first. */
export function secretsOf({ user, password, apiKey }: Credentials): readonly string[] {
  const secrets: string[] = [];
  if (password !== undefined) secrets.push(password, base64(`${user ?? ""}:${password}`));
  if (apiKey !== undefined) secrets.push(apiKey, base64(apiKey), apiKey.slice(apiKey.indexOf(":") + 1));
  // If a secret that is part of another one were masked first, the rest of the longer one would remain.
  return secrets.filter((secret) => secret !== "").sort((a, b) => b.length - a.length);
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
