import type { Environment } from "./read-values.ts";
import { headerText, readSecret, type SecretKind } from "./secret-variable.ts";

/** The tokens of the management port. They are secrets, so they come from the environment alone. */
export interface ManagementTokens {
  /** undefined: the log shows a sign-in link instead. */
  readonly adminToken: string | undefined;
  /** undefined: `/metrics` needs no token. */
  readonly metricsToken: string | undefined;
}

/** A shorter token could be guessed. */
const goodTokenLength = 16;

/** Typed or pasted into the sign-in page, which removes blanks around the token. */
const adminToken: SecretKind = {
  pattern: /^(?!\s)[^\p{Cc}\p{Cs}]+(?<!\s)$/u,
  allowed: "text without control characters, and without spaces at its beginning and end",
};

/**
 * Reads `LOOM_ADMIN_TOKEN` and `LOOM_METRICS_TOKEN`. An empty variable counts as not set.
 * @throws ConfigError that names the variable and does not show the token
 */
export function readManagementTokens(environment: Environment): ManagementTokens {
  return {
    adminToken: readSecret("LOOM_ADMIN_TOKEN", adminToken, environment),
    metricsToken: readSecret("LOOM_METRICS_TOKEN", headerText, environment),
  };
}

/** Problems that do not stop Loom from starting. */
export function managementTokenWarnings(tokens: ManagementTokens): readonly string[] {
  const named = { LOOM_ADMIN_TOKEN: tokens.adminToken, LOOM_METRICS_TOKEN: tokens.metricsToken };
  return Object.entries(named)
    .filter(([, token]) => token !== undefined && token.length < goodTokenLength)
    .map(
      ([variable]) =>
        `${variable} has fewer than ${goodTokenLength} characters; better: openssl rand -hex 24`,
    );
}
