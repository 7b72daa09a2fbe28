import type { Claim } from "../../ingest/claimed-id.ts";
import type { RefusedRequest } from "../../ingest/refusal.ts";
import { unknownSensorId } from "../../telemetry/ledger.ts";
import { startOf } from "../../text/truncate.ts";
import { type HistoryClock, systemHistoryClock } from "../history/counter-history.ts";
import { GroupPool, type RefusalGroup } from "./group-pool.ts";

/** A group takes about 400 bytes. */
const poolLimits = {
  known: { maxGroups: 2048, maxPerOwner: 32 },
  claimed: { maxGroups: 1024, maxPerOwner: 16 },
  other: { maxGroups: 512, maxPerOwner: 8 },
};
const maxDetailLength = 300;
const maxClientLength = 64;

export interface LastRefusal {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The same time by the monotonic clock, for comparisons. */
  readonly monotonicAt: number;
}

/** The refused requests of one configured sensor, and of clients that named it in X-Spip-ID without having its token. */
export interface SensorRefusals {
  /** The last refused request with the sensor's token. */
  readonly lastOwn: LastRefusal | undefined;
  /** The last refused request that only named the sensor, whatever the reason. */
  readonly lastClaimed: LastRefusal | undefined;
  /** The last one of these that was refused as unauthorized. */
  readonly lastUnauthorizedClaim: LastRefusal | undefined;
  readonly unauthorizedClaims: number;
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

/**
 * All refused requests of ingest, grouped by reason, sensor, claimed sensor id and client address. They are for the
 * dashboard; the log (refusal-log.ts) has only a sample. The counts of the groups and `evictedRequests` always add up to the
 * number of requests noted.
 *
 * Every client can create groups, so their number is limited. There are three pools, so that no kind of request can evict
 * another one: requests with a sensor's token, requests without a token that name a configured sensor, and all others.
 * In each pool, no sensor and no client has more than a few groups. The least recently active group is evicted.
 */
export class RefusalRecords {
  readonly #claimOf: RefusalRecordsOptions["claimOf"];
  readonly #clock: HistoryClock;
  readonly #known = new GroupPool(poolLimits.known);
  readonly #claimed = new GroupPool(poolLimits.claimed);
  readonly #other = new GroupPool(poolLimits.other);
  /** By configured sensor, so that their number is bounded. */
  readonly #bySensor = new Map<string, Writable<SensorRefusals>>();
  #lastAt: number | undefined;

  constructor({ claimOf, clock = systemHistoryClock }: RefusalRecordsOptions) {
    this.#claimOf = claimOf;
    this.#clock = clock;
  }

  note({ reason, sensorId, claimedId, client, detail }: RefusedRequest): void {
    const at = this.#clock.now();
    this.#lastAt = at;
    const hasToken = sensorId !== unknownSensorId;
    // A request with a sensor's token can only claim to be that sensor.
    const claim = hasToken ? undefined : this.#claimOf(claimedId);
    const address = plainAddress(client);
    const pool = hasToken ? this.#known : claim?.sensorId === undefined ? this.#other : this.#claimed;
    const owner = hasToken ? sensorId : (claim?.sensorId ?? address ?? "");
    pool.note(owner, {
      reason,
      sensorId: hasToken ? sensorId : undefined,
      claimedText: claim?.text,
      claimedSensorId: claim?.sensorId,
      client: address,
      detail: firstLine(detail),
      firstAt: at,
      lastAt: at,
      count: 1,
    });
    const concerned = hasToken ? sensorId : claim?.sensorId;
    if (concerned !== undefined) this.#noteSensor(concerned, reason, !hasToken);
  }

  /** All groups, the most recently active first. */
  groups(): RefusalGroup[] {
    return latestFirst([this.#known, this.#claimed, this.#other].flatMap((pool) => pool.groups()));
  }

  /** The groups of a sensor and of clients that only named it, the most recently active first. */
  groupsOf(sensorId: string): RefusalGroup[] {
    return latestFirst([...this.#known.groupsOf(sensorId), ...this.#claimed.groupsOf(sensorId)]);
  }

  of(sensorId: string): SensorRefusals {
    return this.#bySensor.get(sensorId) ?? noRefusals;
  }

  /** When the last request was refused; milliseconds since the epoch. */
  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  /** The number of requests in evicted groups. */
  get evictedRequests(): number {
    return this.#known.evictedRequests + this.#claimed.evictedRequests + this.#other.evictedRequests;
  }

  #noteSensor(sensorId: string, reason: string, isOnlyClaimed: boolean): void {
    const sensor = this.#bySensor.get(sensorId) ?? { ...noRefusals };
    this.#bySensor.set(sensorId, sensor);
    const last = { reason, at: this.#clock.now(), monotonicAt: this.#clock.monotonic() };
    if (!isOnlyClaimed) {
      sensor.lastOwn = last;
      return;
    }
    sensor.lastClaimed = last;
    if (reason !== "unauthorized") return;
    sensor.lastUnauthorizedClaim = last;
    sensor.unauthorizedClaims++;
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
