import { createHash } from "node:crypto";
import type { SensorCredential } from "../config/config.ts";
import { bearerToken } from "../http/bearer-token.ts";
import { type Claim, possibleTokens, printableClaim } from "./claimed-id.ts";

/** Finds the sensor that a request is from. */
export interface Authenticator {
  /** @returns the sensor's id; undefined if the token is not configured or the claimed id is another sensor's */
  identify(authorization: string | null, claimedId: string | null): string | undefined;
  /** The sensor that the token belongs to, whichever sensor X-Spip-ID names; undefined if the token is not configured. */
  ownerOf(authorization: string | null): string | undefined;
  /** Explains to operators why `identify` returned undefined. The text names a sensor, never a token. */
  whyUnauthorized(authorization: string | null): string;
  /** The claimed id as it may be shown. It is "(a token)" if somebody put a token into X-Spip-ID by mistake. */
  claimOf(claimedId: string | null): Claim;
  /** Replaces all credentials. */
  replace(sensors: readonly SensorCredential[]): void;
  readonly sensorIds: readonly string[];
}

const digestWords = 8;

/**
 * Compares the SHA-256 digest of a request's token with those of all configured tokens, without a branch that depends on
 * them. Neither the time nor the number of steps reveals how much of a token was right, or which token it was.
 */
export function createAuthenticator(initial: readonly SensorCredential[]): Authenticator {
  let sensors = initial;
  let digests = digestTable(initial);

  function indexOfToken(token: string): number {
    const wanted = digestOf(token);
    let found = -1;
    for (let i = 0; i < sensors.length; i++) {
      let difference = 0;
      for (let word = 0; word < digestWords; word++)
        difference |= (digests[i * digestWords + word] as number) ^ (wanted[word] as number);
      // All bits are set if the digests are equal, none otherwise.
      const isEqual = ((difference | -difference) >> 31) ^ -1;
      found = (found & ~isEqual) | (i & isEqual);
    }
    return found;
  }

  return {
    identify(authorization, claimedId) {
      const token = bearerToken(authorization);
      if (token === undefined) return undefined;
      const sensor = sensors[indexOfToken(token)];
      if (!sensor) return undefined;
      // An empty header counts as absent, as in Go's Header.Get.
      if (claimedId && claimedId !== sensor.sensorId && claimedId !== sensor.alias) return undefined;
      return sensor.sensorId;
    },
    ownerOf(authorization) {
      const token = bearerToken(authorization);
      return token === undefined ? undefined : sensors[indexOfToken(token)]?.sensorId;
    },
    whyUnauthorized(authorization) {
      if (authorization === null) return "the request has no Authorization header";
      const token = bearerToken(authorization);
      if (token === undefined) return "the Authorization header does not consist of Bearer and a token";
      const sensor = sensors[indexOfToken(token)];
      return sensor
        ? `the token belongs to ${sensor.sensorId}, but X-Spip-ID names another sensor`
        : "the token is not configured";
    },
    claimOf(claimedId) {
      if (!claimedId) return { text: undefined, sensorId: undefined };
      let isToken = false;
      for (const piece of possibleTokens(claimedId)) if (indexOfToken(piece) >= 0) isToken = true;
      if (isToken) return { text: "(a token)", sensorId: undefined };
      const sensor = sensors.find(({ sensorId, alias }) => claimedId === sensorId || claimedId === alias);
      return { text: printableClaim(claimedId), sensorId: sensor?.sensorId };
    },
    replace(next) {
      sensors = next;
      digests = digestTable(next);
    },
    get sensorIds() {
      return sensors.map((sensor) => sensor.sensorId);
    },
  };
}

function digestTable(sensors: readonly SensorCredential[]): Int32Array {
  const table = new Int32Array(sensors.length * digestWords);
  for (const [i, sensor] of sensors.entries()) table.set(digestOf(sensor.token), i * digestWords);
  return table;
}

function digestOf(token: string): Int32Array {
  const digest = createHash("sha256").update(token).digest();
  return new Int32Array(digest.buffer.slice(digest.byteOffset, digest.byteOffset + digest.length));
}
