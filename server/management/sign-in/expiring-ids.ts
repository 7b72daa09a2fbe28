/** A bounded set of ids, each with the time at which it expires. */
export interface ExpiringIds {
  /** @returns false if the set is full; the id is not stored then */
  set(id: string, expiresAt: number): boolean;
  get(id: string): number | undefined;
  clear(): void;
}

export function createExpiringIds(maxIds: number, now: () => number): ExpiringIds {
  const expiries = new Map<string, number>();

  function dropExpired(): void {
    for (const [id, expiresAt] of expiries) if (expiresAt <= now()) expiries.delete(id);
  }

  return {
    set(id, expiresAt) {
      if (expiries.size >= maxIds && !expiries.has(id)) dropExpired();
      if (expiries.size >= maxIds && !expiries.has(id)) return false;
      expiries.set(id, expiresAt);
      return true;
    },
    get: (id) => expiries.get(id),
    clear: () => expiries.clear(),
  };
}
