import { randomBytes } from "node:crypto";
import { createSecretCheck } from "./secret.ts";

export interface SignInToken {
  /** True for the token that lets in; a link's is used up by that. */
  redeem(candidate: string): boolean;
  /** The token of the next sign-in link; undefined: LOOM_ADMIN_TOKEN is set, and there are no links. */
  readonly linkToken: string | undefined;
}

const linkTokenBytes = 32;

/** The operator's own token, which is valid for good, or else tokens for links, each valid once. */
export function createSignInToken(adminToken: string | undefined): SignInToken {
  if (adminToken !== undefined) return { redeem: createSecretCheck(adminToken), linkToken: undefined };
  let linkToken = newLinkToken();
  let isRight = createSecretCheck(linkToken);
  return {
    redeem(candidate) {
      if (!isRight(candidate)) return false;
      linkToken = newLinkToken();
      isRight = createSecretCheck(linkToken);
      return true;
    },
    get linkToken() {
      return linkToken;
    },
  };
}

function newLinkToken(): string {
  return randomBytes(linkTokenBytes).toString("base64url");
}
