export interface ExpiringCache<Value> {
  /** The value of `key`; undefined if there is none or it has expired. */
  get(key: string): Value | undefined;
  /** Stores `value` for the cache's lifetime. The oldest entry is evicted from a full cache. */
  set(key: string, value: Value): void;
}

/**
 * A cache whose entries all expire after `ttlMs`, and which never holds more than `maxEntries` of them.
 * `now` is a monotonic clock in milliseconds.
 */
export function createExpiringCache<Value extends NonNullable<unknown> | null>(options: {
  readonly ttlMs: number;
  readonly maxEntries: number;
  readonly now: () => number;
}): ExpiringCache<Value> {
  const { ttlMs, maxEntries, now } = options;
  // All entries live equally long, so the map's order of insertion is also the order in which they expire.
  const entries = new Map<string, { readonly value: Value; readonly expiresAtMs: number }>();

  return {
    get(key) {
      const entry = entries.get(key);
      return entry !== undefined && entry.expiresAtMs > now() ? entry.value : undefined;
    },
    set(key, value) {
      entries.delete(key);
      if (entries.size >= maxEntries) {
        const oldest = entries.keys().next();
        if (!oldest.done) entries.delete(oldest.value);
      }
      entries.set(key, { value, expiresAtMs: now() + ttlMs });
    },
  };
}
