/** What a client called itself in X-Spip-ID; see Authenticator.claimOf. */
export interface Claim {
  /** Printable, bounded, and no token. undefined: nothing. */
  readonly text: string | undefined;
  /** The configured sensor of that name. */
  readonly sensorId: string | undefined;
}

/** As long as a sensor's id may be. */
const maxClaimLength = 128;
const maxPieces = 3;

/** X-Spip-ID as it may be shown: cut, and whatever is not printable ASCII as \uXXXX. */
export function printableClaim(claimedId: string): string {
  return claimedId
    .slice(0, maxClaimLength)
    .replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * All of X-Spip-ID that could be a token by mistake: the whole, and its pieces where it holds what tokens stand in:
 * "Bearer token", "token,sensor_id", "LOOM_SENSOR_id=token".
 */
export function possibleTokens(claimedId: string): Set<string> {
  const pieces = claimedId.split(/[\s,;"']+/, maxPieces);
  return new Set([claimedId, ...pieces, ...pieces.map((piece) => piece.replace(/^[^=:]*[=:]/, ""))]);
}
