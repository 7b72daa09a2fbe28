import { ConfigError } from "./config-error.ts";
import type { Environment } from "./read-values.ts";

/** What a secret in the environment may look like. */
export interface SecretKind {
  readonly pattern: RegExp;
  readonly allowed: string;
}

const maxSecretLength = 1024;

/** The characters that headers such as `Authorization` can carry. */
export const headerText: SecretKind = {
  pattern: /^[\x21-\x7e]+$/,
  allowed: "printable ASCII without spaces",
};

/**
 * Reads a secret from an environment variable. An empty variable counts as not set.
 * @throws ConfigError that names the variable and does not show the secret
 */
export function readSecret(variable: string, kind: SecretKind, environment: Environment): string | undefined {
  const secret = environment[variable];
  if (secret === undefined || secret === "") return undefined;
  if (secret.length <= maxSecretLength && kind.pattern.test(secret)) return secret;
  throw new ConfigError(
    `config: ${variable} is text (not shown); allowed: ${kind.allowed}, at most ${maxSecretLength} characters`,
  );
}
