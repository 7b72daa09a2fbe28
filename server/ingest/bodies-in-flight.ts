/** Bounds the memory that request bodies take at one time, in all and per sensor. */
export interface BodiesInFlight {
  /** Counts the bytes until `release`. @returns false, and counts nothing, if they would exceed a bound */
  reserve(sensorId: string, bytes: number): boolean;
  release(sensorId: string, bytes: number): void;
}

export function createBodiesInFlight(maxBytes: number, maxBytesPerSensor: number): BodiesInFlight {
  const bytesOf = new Map<string, number>();
  let total = 0;
  return {
    reserve(sensorId, bytes) {
      const own = bytesOf.get(sensorId) ?? 0;
      // A single body always fits: a bound below max_body_size_bytes must not make large bodies impossible.
      if (total > 0 && total + bytes > maxBytes) return false;
      if (own > 0 && own + bytes > maxBytesPerSensor) return false;
      bytesOf.set(sensorId, own + bytes);
      total += bytes;
      return true;
    },
    release(sensorId, bytes) {
      const left = (bytesOf.get(sensorId) ?? 0) - bytes;
      if (left > 0) bytesOf.set(sensorId, left);
      else bytesOf.delete(sensorId);
      total -= bytes;
    },
  };
}
