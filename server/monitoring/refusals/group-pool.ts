/** Requests that were refused alike. Times are milliseconds since the epoch. */
export interface RefusalGroup {
  readonly reason: string;
  /** The sensor whose token the requests had; undefined if they had no valid one. */
  readonly sensorId: string | undefined;
  /** The sensor id that they named in X-Spip-ID, made printable; undefined if it is the sensor's own. */
  readonly claimedText: string | undefined;
  /** The configured sensor with that id, if they had no valid token. */
  readonly claimedSensorId: string | undefined;
  readonly client: string | undefined;
  /** The detail of the latest request. */
  readonly detail: string | undefined;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
  /** The events of these requests; 0 for requests of strangers. */
  readonly events: number;
  /** Whether `events` has events that were not counted but estimated. */
  readonly isEstimate: boolean;
}

/** A group as it is saved. */
export type SavedGroup = readonly [owner: string, group: RefusalGroup];

export interface PoolLimits {
  readonly maxGroups: number;
  /** The most groups of one owner: a sensor, or a client without a token. */
  readonly maxPerOwner: number;
}

/** A bounded number of groups, in the order of their last request. The least recently active are evicted and counted. */
export class GroupPool {
  readonly #maxGroups: number;
  readonly #maxPerOwner: number;
  /** By key, the least recently active group first. */
  readonly #groups = new Map<string, { readonly owner: string; group: RefusalGroup }>();
  /** The keys of each owner, in the same order. */
  readonly #keysOf = new Map<string, Set<string>>();
  /** The number of requests in evicted groups. */
  evictedRequests = 0;
  /** Whether it changed since it was saved. */
  hasNew = false;

  constructor({ maxGroups, maxPerOwner }: PoolLimits) {
    this.#maxGroups = maxGroups;
    this.#maxPerOwner = maxPerOwner;
  }

  note(owner: string, one: RefusalGroup): void {
    const key = JSON.stringify([one.reason, one.sensorId, one.claimedText, one.client]);
    const before = this.#remove(key)?.group;
    const group = before ? merged(before, one) : one;
    if (!before) this.#makeRoom(owner);
    this.hasNew = true;
    this.#groups.set(key, { owner, group });
    const keys = this.#keysOf.get(owner) ?? new Set();
    this.#keysOf.set(owner, keys.add(key));
  }

  groups(): RefusalGroup[] {
    return Array.from(this.#groups.values(), ({ group }) => group);
  }

  groupsOf(owner: string): RefusalGroup[] {
    const groups = Array.from(this.#keysOf.get(owner) ?? [], (key) => this.#groups.get(key)?.group);
    return groups.filter((group) => group !== undefined);
  }

  /** In the order in which `note` has to be called to restore them. */
  save(): SavedGroup[] {
    return Array.from(this.#groups.values(), ({ owner, group }) => [owner, group] as const);
  }

  #makeRoom(owner: string): void {
    const own = this.#keysOf.get(owner);
    const keys = own && own.size >= this.#maxPerOwner ? own : this.#groups;
    if (keys === this.#groups && this.#groups.size < this.#maxGroups) return;
    const [oldestKey] = keys.keys();
    if (oldestKey !== undefined) this.evictedRequests += this.#remove(oldestKey)?.group.count ?? 0;
  }

  #remove(key: string): { readonly owner: string; readonly group: RefusalGroup } | undefined {
    const entry = this.#groups.get(key);
    if (!entry) return undefined;
    this.#groups.delete(key);
    const keys = this.#keysOf.get(entry.owner);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOf.delete(entry.owner);
    return entry;
  }
}

function merged(before: RefusalGroup, one: RefusalGroup): RefusalGroup {
  return {
    ...one,
    firstAt: before.firstAt,
    count: before.count + one.count,
    events: before.events + one.events,
    isEstimate: before.isEstimate || one.isEstimate,
  };
}
