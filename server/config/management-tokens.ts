import { ConfigError } from "./config-error.ts";
import type { Environment } from "./read-values.ts";

/** The tokens of the management port. They are secrets, so they come from the environment alone. */
export interface ManagementTokens {
  /** undefined: the log shows a sign-in link instead. */
  readonly adminToken: string | undefined;
  /** undefined: `/metrics` needs no token. */
  readonly metricsToken: string | undefined;
}

const maxTokenLength = 1024;
/** A shorter token could be guessed. */
const goodTokenLength = 16;

interface TokenKind {
  readonly pattern: RegExp;
  readonly allowed: string;
}

/** Typed or pasted into the sign-in page, which removes blanks around the token. */
const adminToken: TokenKind = {
  pattern: /^(?!\s)[^\p{Cc}\p{Cs}]+(?<!\s)$/u,
  allowed: "text without control characters, and without spaces at its beginning and end",
};

/** The characters that `Authorization: Bearer …` can carry. */
const metricsToken: TokenKind = { pattern: /^[\x21-\x7e]+$/, allowed: "printable ASCII without spaces" };

/**
 * Reads `LOOM_ADMIN_TOKEN` and `LOOM_METRICS_TOKEN`. An empty variable counts as not set.
 * @throws ConfigError that names the variable and does not show the token
 */
export function readManagementTokens(environment: Environment): ManagementTokens {
  return {
    adminToken: readToken("LOOM_ADMIN_TOKEN", adminToken, environment),
    metricsToken: readToken("LOOM_METRICS_TOKEN", metricsToken, environment),
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

function readToken(variable: string, kind: TokenKind, environment: Environment): string | undefined {
  const token = environment[variable];
  if (token === undefined || token === "") return undefined;
  if (token.length <= maxTokenLength && kind.pattern.test(token)) return token;
  throw new ConfigError(
    `config: ${variable} is text (not shown); allowed: ${kind.allowed}, at most ${maxTokenLength} characters`,
  );
}
