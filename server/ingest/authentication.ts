import { createHash } from "node:crypto";
import { bearerToken } from "../bearer-token.ts";
import type { SensorCredential } from "../config/config.ts";

/** Tells which sensor a request comes from. */
export interface Authenticator {
  /** @returns the sensor's id; undefined when the token or the claimed id is not its own. */
  identify(authorization: string | null, claimedId: string | null): string | undefined;
  /** Puts other credentials in place of all the present ones. */
  replace(sensors: readonly SensorCredential[]): void;
  readonly sensorIds: readonly string[];
}

const digestWords = 8;

/**
 * Compares SHA-256 digests, over all tokens, without a branch that depends on them: neither the time nor the number of
 * steps tells how much of a token was right, or which one.
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
      // All ones where the digests are equal, zero elsewhere.
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
      // An empty header says as little as none, to Go's Header.Get too.
      if (claimedId && claimedId !== sensor.sensorId && claimedId !== sensor.alias) return undefined;
      return sensor.sensorId;
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
