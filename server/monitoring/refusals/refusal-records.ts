import type { Claim } from "../../ingest/claimed-id.ts";
import { unknownSensorId } from "../../telemetry/ledger.ts";
import { type HistoryClock, systemHistoryClock } from "../history/counter-history.ts";

/*
 * Every refused request of ingest, grouped by reason, sensor, what the client called itself, and its address: for the
 * dashboard, where the log (refusal-log.ts) only samples. The groups' counts and `forgottenRequests` together are all
 * requests that were noted, always.
 *
 * Whoever sends bad requests makes groups, so they are bounded, in three pools that can't push out each other: requests
 * with a sensor's token; requests without one that call themselves a configured sensor; all others. In each, no sensor
 * and no client takes more than a few. The group that was quiet for longest makes room.
 */

/** About 400 bytes each. */
const poolBounds = {
  known: { maxGroups: 2048, maxPerOwner: 32 },
  claimed: { maxGroups: 1024, maxPerOwner: 16 },
  other: { maxGroups: 512, maxPerOwner: 8 },
};
const maxDetailLength = 300;
const maxClientLength = 64;

export interface RefusedRequest {
  readonly reason: string;
  /** The sensor whose token it had, or `unknownSensorId`. */
  readonly sensorId: string;
  /** X-Spip-ID as it came. */
  readonly claimedId: string | null;
  readonly client: string | undefined;
  readonly detail: string | undefined;
}

/** Requests that were refused alike. Times are milliseconds since the epoch. */
export interface RefusalGroup {
  readonly reason: string;
  readonly sensorId: string | undefined;
  readonly claimedText: string | undefined;
  /** The configured sensor that it calls itself without having its token. */
  readonly claimedSensorId: string | undefined;
  readonly client: string | undefined;
  /** Of the latest one. */
  readonly detail: string | undefined;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
}

export interface LastRefusal {
  readonly reason: string;
  readonly at: number;
  /** By the monotonic clock, to compare with. */
  readonly monotonicAt: number;
}

/** What was refused of one configured sensor, or of a client that calls itself so. */
export interface SensorRefusals {
  /** With its token. */
  readonly lastOwn: LastRefusal | undefined;
  /** Without, for any reason. */
  readonly lastClaimed: LastRefusal | undefined;
  /** Of these the last one that was unauthorized. */
  readonly lastUnauthorizedClaim: LastRefusal | undefined;
  readonly unauthorizedClaims: number;
}

export interface RefusalRecords {
  note(refused: RefusedRequest): void;
  /** The latest first. */
  groups(): RefusalGroup[];
  /** The groups of one sensor and of clients that call themselves so, the latest first. */
  groupsOf(sensorId: string): RefusalGroup[];
  of(sensorId: string): SensorRefusals;
  readonly lastAt: number | undefined;
  /** Requests of groups that made room. */
  readonly forgottenRequests: number;
}

export interface RefusalRecordsOptions {
  readonly claimOf: (claimedId: string | null) => Claim;
  readonly clock?: HistoryClock;
}

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

const noRefusals: SensorRefusals = {
  lastOwn: undefined,
  lastClaimed: undefined,
  lastUnauthorizedClaim: undefined,
  unauthorizedClaims: 0,
};

export function createRefusalRecords({
  claimOf,
  clock = systemHistoryClock,
}: RefusalRecordsOptions): RefusalRecords {
  const known = new GroupPool(poolBounds.known);
  const claimed = new GroupPool(poolBounds.claimed);
  const other = new GroupPool(poolBounds.other);
  const pools = [known, claimed, other];
  /** By configured sensor, so that their number is bounded. */
  const bySensor = new Map<string, Writable<SensorRefusals>>();
  let lastAt: number | undefined;

  function noteSensor(sensorId: string, reason: string, isOnlyClaimed: boolean): void {
    const sensor = bySensor.get(sensorId) ?? { ...noRefusals };
    bySensor.set(sensorId, sensor);
    const last = { reason, at: clock.now(), monotonicAt: clock.monotonic() };
    if (!isOnlyClaimed) sensor.lastOwn = last;
    else {
      sensor.lastClaimed = last;
      if (reason !== "unauthorized") return;
      sensor.lastUnauthorizedClaim = last;
      sensor.unauthorizedClaims++;
    }
  }

  return {
    note({ reason, sensorId, claimedId, client: clientText, detail }) {
      const at = clock.now();
      lastAt = at;
      const client = plainAddress(clientText);
      const isKnown = sensorId !== unknownSensorId;
      // With the token, the name is the token's own.
      const claim = isKnown ? undefined : claimOf(claimedId);
      const pool = isKnown ? known : claim?.sensorId === undefined ? other : claimed;
      const owner = isKnown ? sensorId : (claim?.sensorId ?? client ?? "");
      pool.note(owner, {
        reason,
        sensorId: isKnown ? sensorId : undefined,
        claimedText: claim?.text,
        claimedSensorId: claim?.sensorId,
        client,
        detail: firstLine(detail),
        firstAt: at,
        lastAt: at,
        count: 1,
      });
      const concerned = isKnown ? sensorId : claim?.sensorId;
      if (concerned !== undefined) noteSensor(concerned, reason, !isKnown);
    },
    groups: () => latestFirst(pools.flatMap((pool) => pool.groups())),
    groupsOf: (sensorId) => latestFirst([...known.groupsOf(sensorId), ...claimed.groupsOf(sensorId)]),
    of: (sensorId) => bySensor.get(sensorId) ?? noRefusals,
    get lastAt() {
      return lastAt;
    },
    get forgottenRequests() {
      return pools.reduce((sum, pool) => sum + pool.forgottenRequests, 0);
    },
  };
}

/** Groups in the order in which they were last added to, some an owner. */
class GroupPool {
  readonly #maxGroups: number;
  readonly #maxPerOwner: number;
  /** By key; the one that was quiet for longest comes first. */
  readonly #groups = new Map<string, { readonly owner: string; group: RefusalGroup }>();
  /** The keys of each owner, in the same order. */
  readonly #keysOf = new Map<string, Set<string>>();
  forgottenRequests = 0;

  constructor({ maxGroups, maxPerOwner }: { maxGroups: number; maxPerOwner: number }) {
    this.#maxGroups = maxGroups;
    this.#maxPerOwner = maxPerOwner;
  }

  note(owner: string, one: RefusalGroup): void {
    const key = JSON.stringify([one.reason, one.sensorId, one.claimedText, one.client]);
    const before = this.#take(key)?.group;
    const group = before ? { ...one, firstAt: before.firstAt, count: before.count + 1 } : one;
    if (!before) this.#makeRoom(owner);
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

  #makeRoom(owner: string): void {
    const own = this.#keysOf.get(owner);
    const keys = own && own.size >= this.#maxPerOwner ? own : this.#groups;
    if (keys === this.#groups && this.#groups.size < this.#maxGroups) return;
    const [quietest] = keys.keys();
    if (quietest !== undefined) this.forgottenRequests += this.#take(quietest)?.group.count ?? 0;
  }

  #take(key: string): { readonly owner: string; readonly group: RefusalGroup } | undefined {
    const entry = this.#groups.get(key);
    if (!entry) return undefined;
    this.#groups.delete(key);
    const keys = this.#keysOf.get(entry.owner);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOf.delete(entry.owner);
    return entry;
  }
}

function latestFirst(groups: RefusalGroup[]): RefusalGroup[] {
  return groups.reverse().sort((a, b) => b.lastAt - a.lastAt);
}

/** A defect's detail goes on with where in the program it was. */
function firstLine(detail: string | undefined): string | undefined {
  return detail?.slice(0, maxDetailLength).split("\n", 1)[0];
}

/** An IPv4 client of a socket that takes both is "::ffff:192.0.2.1". */
function plainAddress(client: string | undefined): string | undefined {
  return client?.replace(/^::ffff:(?=[\d.]+$)/i, "").slice(0, maxClientLength);
}
