export interface ExpiringCache<Value> {
  /** The value kept for `key`; undefined when there is none or its time is over. */
  get(key: string): Value | undefined;
  /** Keeps `value` for the cache's lifetime; the oldest entry makes room when the cache is full. */
  set(key: string, value: Value): void;
}

/**
 * A cache whose entries all live for `ttlMs` and which never holds more than `maxEntries` of them.
 * `now` is the clock in milliseconds; it must not run backwards.
 */
export function createExpiringCache<Value extends NonNullable<unknown> | null>(options: {
  readonly ttlMs: number;
  readonly maxEntries: number;
  readonly now: () => number;
}): ExpiringCache<Value> {
  const { ttlMs, maxEntries, now } = options;
  // One lifetime for all, so the map's order of insertion is also the order in which entries expire.
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
