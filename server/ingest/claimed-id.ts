import { jsonEscape } from "../text/printable.ts";
import { startOf } from "../text/truncate.ts";

/** The sensor id that a client sent in X-Spip-ID; see Authenticator.claimOf. */
export interface Claim {
  /** Printable ASCII of bounded length that holds no token. undefined: the header is absent or empty. */
  readonly text: string | undefined;
  /** The configured sensor with that id. */
  readonly sensorId: string | undefined;
}

/** The longest sensor id that the configuration allows. */
const maxClaimLength = 128;
const maxPieces = 3;

/** X-Spip-ID as it may be shown: cut to the longest sensor id, everything but printable ASCII as `\uXXXX`. */
export function printableClaim(claimedId: string): string {
  return startOf(claimedId, maxClaimLength).replace(/[^\x20-\x7e]/g, jsonEscape);
}

/**
 * Every part of X-Spip-ID that could be a token by mistake: the whole value, and its pieces if it has one of the forms
 * in which tokens are written: "Bearer token", "token,sensor_id", "LOOM_SENSOR_id=token".
 */
export function possibleTokens(claimedId: string): Set<string> {
  const pieces = claimedId.split(/[\s,;"']+/, maxPieces);
  return new Set([claimedId, ...pieces, ...pieces.map((piece) => piece.replace(/^[^=:]*[=:]/, ""))]);
}
