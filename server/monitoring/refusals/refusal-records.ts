import type { Claim } from "../../ingest/claimed-id.ts";
import type { RefusedRequest } from "../../ingest/refusal.ts";
import { unknownSensorId } from "../../telemetry/ledger.ts";
import { startOf } from "../../text/truncate.ts";
import { Chronicle } from "../history/chronicle.ts";
import { type Change, numberKey, type SavedEntries } from "../saved-state/saved-entries.ts";
import { GroupPool, type RefusalGroup, type SavedGroup } from "./group-pool.ts";
import { RefusalCounts, type RefusalKind, type RefusalsOfReason, refusalKinds } from "./refusal-counts.ts";

/** A group takes about 400 bytes. */
const poolLimits = {
  own: { maxGroups: 2048, maxPerOwner: 32 },
  claimed: { maxGroups: 1024, maxPerOwner: 16 },
  stranger: { maxGroups: 512, maxPerOwner: 8 },
};
const maxDetailLength = 300;
const maxClientLength = 64;

export interface LastRefusal {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The same time in milliseconds of the chronicle, for comparisons. */
  readonly atMs: number;
}

/** The refused requests of one configured sensor, and of clients that named it in X-Spip-ID without a valid token. */
export interface SensorRefusals {
  /** The last refused request with the sensor's token. */
  readonly lastOwn: LastRefusal | undefined;
  /** The last refused request that only named the sensor, whatever the reason. */
  readonly lastClaimed: LastRefusal | undefined;
  /** The last one of these that was refused as unauthorized. */
  readonly lastUnauthorizedClaim: LastRefusal | undefined;
  readonly unauthorizedClaims: number;
  /** The estimated number of events of these. */
  readonly claimedEvents: number;
}

export interface RefusalRecordsOptions {
  readonly claimOf: (claimedId: string | null) => Claim;
  readonly chronicle?: Chronicle;
  readonly saved?: SavedEntries | undefined;
}

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** The state apart from the groups as it is saved. */
interface SavedSums {
  readonly lastAt: number | undefined;
  /** Of each pool, in the order of `refusalKinds`. */
  readonly evictedRequests: readonly number[];
}

const sumsKind = "refusal sums";
const sensorsKind = "sensor refusals";
const countsKind = "refusal counts";
const groupsKinds: Readonly<Record<RefusalKind, string>> = {
  own: "refusals of known",
  claimed: "refusals of claimed",
  stranger: "refusals of other",
};
/** What groups do not have that an older version saved. */
const groupDefaults = { events: 0, isEstimate: false };
/** The number of groups in one saved entry. */
const groupsPerEntry = 128;

const noRefusals: SensorRefusals = {
  lastOwn: undefined,
  lastClaimed: undefined,
  lastUnauthorizedClaim: undefined,
  unauthorizedClaims: 0,
  claimedEvents: 0,
};

/**
 * All refused requests of ingest, grouped by reason, sensor, claimed sensor id and client address. They are for the
 * dashboard; the log (refusal-log.ts) has only a sample. The counts of the groups and `evictedRequests` always add up to the
 * number of requests noted.
 *
 * Every client can create groups, so their number is limited. There are three pools, so that no kind of request can evict
 * another one: requests with a sensor's token, requests without one that name a configured sensor, and all others.
 * In each pool, no sensor and no client has more than a few groups. The least recently active group is evicted.
 */
export class RefusalRecords {
  readonly #claimOf: RefusalRecordsOptions["claimOf"];
  readonly #chronicle: Chronicle;
  readonly #pools: Readonly<Record<RefusalKind, GroupPool>> = {
    own: new GroupPool(poolLimits.own),
    claimed: new GroupPool(poolLimits.claimed),
    stranger: new GroupPool(poolLimits.stranger),
  };
  /** By configured sensor, so that their number is bounded. */
  readonly #bySensor = new Map<string, Writable<SensorRefusals>>();
  readonly #counts: Readonly<Record<RefusalKind, RefusalCounts>> = {
    own: new RefusalCounts(),
    claimed: new RefusalCounts(),
    stranger: new RefusalCounts(),
  };
  /** The sensors whose last refusals changed since they were saved, or that are forgotten. */
  readonly #unsavedSensors = new Set<string>();
  #lastAt: number | undefined;

  constructor({ claimOf, chronicle = new Chronicle(), saved }: RefusalRecordsOptions) {
    this.#claimOf = claimOf;
    this.#chronicle = chronicle;
    if (saved) this.#restore(saved);
  }

  note(request: RefusedRequest): void {
    const { reason, sensorId, tokenSensorId, claimedId, client, detail, events } = request;
    const at = this.#chronicle.clock.now();
    this.#lastAt = at;
    const isCounted = sensorId !== unknownSensorId;
    const tokenOwner = isCounted ? sensorId : tokenSensorId;
    // A request that is counted for a sensor can only claim to be that sensor.
    const claim = isCounted ? undefined : this.#claimOf(claimedId);
    const address = plainAddress(client);
    const kind = tokenOwner !== undefined ? "own" : claim?.sensorId !== undefined ? "claimed" : "stranger";
    const concerned = tokenOwner ?? claim?.sensorId;
    const ofSensor = concerned === undefined ? undefined : events;
    const group: RefusalGroup = {
      reason,
      sensorId: tokenOwner,
      claimedText: claim?.sensorId !== undefined && claim.sensorId === tokenOwner ? undefined : claim?.text,
      claimedSensorId: tokenOwner === undefined ? claim?.sensorId : undefined,
      client: address,
      detail: firstLine(detail),
      firstAt: at,
      lastAt: at,
      count: 1,
      events: ofSensor?.count ?? 0,
      isEstimate: ofSensor?.isEstimate ?? false,
    };
    this.#counts[kind].add(group);
    this.#pools[kind].note(concerned ?? address ?? "", group);
    if (concerned !== undefined) this.#noteSensor(concerned, reason, group.events, kind === "claimed");
  }

  /** All groups, the most recently active first. */
  groups(): RefusalGroup[] {
    return latestFirst(Object.values(this.#pools).flatMap((pool) => pool.groups()));
  }

  /** The groups of a sensor and of clients that only named it, the most recently active first. */
  groupsOf(sensorId: string): RefusalGroup[] {
    const { own, claimed } = this.#pools;
    return latestFirst([...own.groupsOf(sensorId), ...claimed.groupsOf(sensorId)]);
  }

  of(sensorId: string): SensorRefusals {
    return this.#bySensor.get(sensorId) ?? noRefusals;
  }

  /** The refused requests of one kind, those that were saved before this start included. */
  counts(kind: RefusalKind): Readonly<RefusalCounts> {
    return this.#counts[kind];
  }

  /** The number of sensors that a request concerns which was refused in the last `windowMs`. */
  sensorsConcerned(windowMs: number): number {
    const sinceMs = this.#chronicle.elapsedMs - windowMs;
    const isRecent = (last: LastRefusal | undefined) => last !== undefined && last.atMs >= sinceMs;
    let sensors = 0;
    for (const { lastOwn, lastClaimed } of this.#bySensor.values())
      if (isRecent(lastOwn) || isRecent(lastClaimed)) sensors++;
    return sensors;
  }

  /** When the last request was refused; milliseconds since the epoch. */
  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  /** The number of requests in evicted groups. */
  get evictedRequests(): number {
    return Object.values(this.#pools).reduce((sum, pool) => sum + pool.evictedRequests, 0);
  }

  /** The sensors with refused requests. */
  sensorIds(): string[] {
    return [...this.#bySensor.keys()];
  }

  /** Forgets what is recorded of a sensor that is no longer configured, apart from the groups. */
  forget(sensorId: string): void {
    this.#bySensor.delete(sensorId);
    this.#unsavedSensors.add(sensorId);
  }

  /** See SavedPart: the last refusals of the sensors, and the counts. */
  *sensorChanges(): Iterable<Change> {
    for (const key of this.#unsavedSensors) yield { kind: sensorsKind, key, value: this.#bySensor.get(key) };
    this.#unsavedSensors.clear();
    for (const kind of refusalKinds) {
      const counts = this.#counts[kind];
      if (counts.hasNew) yield { kind: countsKind, key: kind, value: counts.save() };
    }
  }

  /** See SavedPart: the groups of the pools that changed. */
  *groupChanges(): Iterable<Change> {
    const pools = Object.values(this.#pools);
    if (!pools.some(({ hasNew }) => hasNew)) return;
    for (const kind of refusalKinds) {
      const pool = this.#pools[kind];
      if (!pool.hasNew) continue;
      pool.hasNew = false;
      const groups = pool.save();
      for (let from = 0; from < groups.length; from += groupsPerEntry) {
        const value = groups.slice(from, from + groupsPerEntry);
        yield { kind: groupsKinds[kind], key: numberKey(from / groupsPerEntry), value };
      }
    }
    const evictedRequests = pools.map((pool) => pool.evictedRequests);
    yield { kind: sumsKind, key: "", value: { lastAt: this.#lastAt, evictedRequests } satisfies SavedSums };
  }

  #restore(saved: SavedEntries): void {
    const sums = saved.only(sumsKind, (value) => value as SavedSums);
    this.#lastAt = sums?.lastAt;
    for (const [i, kind] of refusalKinds.entries()) {
      const pool = this.#pools[kind];
      saved.each(groupsKinds[kind], (groups) => {
        for (const [owner, group] of groups as SavedGroup[]) pool.note(owner, { ...groupDefaults, ...group });
      });
      pool.hasNew = false;
      pool.evictedRequests += sums?.evictedRequests[i] ?? 0;
    }
    this.#restoreCounts(saved);
    saved.each(sensorsKind, (sensor, sensorId) => {
      this.#bySensor.set(sensorId, { ...noRefusals, ...(sensor as SensorRefusals) });
    });
  }

  #restoreCounts(saved: SavedEntries): void {
    saved.each(countsKind, (reasons, kind) => {
      for (const ofReason of reasons as RefusalsOfReason[]) this.#counts[kind as RefusalKind].add(ofReason);
    });
    for (const kind of refusalKinds) {
      const counts = this.#counts[kind];
      // An older version saved only the groups, which do not have the evicted requests.
      if (counts.total.requests === 0) for (const group of this.#pools[kind].groups()) counts.add(group);
      counts.hasNew = false;
    }
  }

  #noteSensor(sensorId: string, reason: string, events: number, isOnlyClaimed: boolean): void {
    const sensor = this.#bySensor.get(sensorId) ?? { ...noRefusals };
    this.#bySensor.set(sensorId, sensor);
    this.#unsavedSensors.add(sensorId);
    const last = { reason, at: this.#chronicle.clock.now(), atMs: this.#chronicle.elapsedMs };
    if (!isOnlyClaimed) {
      // Such a request is from an operator with the sensor's token, or from a health check: no batch is lost.
      if (reason !== "method_not_allowed") sensor.lastOwn = last;
      return;
    }
    sensor.lastClaimed = last;
    if (reason !== "unauthorized") return;
    sensor.lastUnauthorizedClaim = last;
    sensor.unauthorizedClaims++;
    sensor.claimedEvents += events;
  }
}

function latestFirst(groups: RefusalGroup[]): RefusalGroup[] {
  return groups.reverse().sort((a, b) => b.lastAt - a.lastAt);
}

/** The detail of a defect has a stack trace after its first line. */
function firstLine(detail: string | undefined): string | undefined {
  return detail && startOf(detail, maxDetailLength).split("\n", 1)[0];
}

/** On a socket for IPv4 and IPv6, the address of an IPv4 client is "::ffff:192.0.2.1". */
function plainAddress(client: string | undefined): string | undefined {
  return client && startOf(client.replace(/^::ffff:(?=[\d.]+$)/i, ""), maxClientLength);
}
