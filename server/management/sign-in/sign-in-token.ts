import { randomBytes } from "node:crypto";
import { createSecretCheck } from "./secret.ts";

export interface SignInToken {
  /** @returns true for the right token. The token of a link is used up by this. */
  redeem(candidate: string): boolean;
  /** The token of the next sign-in link; undefined if LOOM_ADMIN_TOKEN is set, because then there are no links. */
  readonly linkToken: string | undefined;
}

const linkTokenBytes = 32;

/** Accepts the admin token, any number of times. Without one, accepts the tokens of links, each of them once. */
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
