/** Ids with a time each, of which those in the past are nothing any more. */
export interface ExpiringIds {
  /** @returns false when there is no room, and nothing was set */
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
