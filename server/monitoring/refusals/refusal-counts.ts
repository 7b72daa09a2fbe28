import type { RefusalGroup } from "./group-pool.ts";

/**
 * Whom a refused request concerns. "own": a sensor, because the request had its token. "claimed": a sensor that it named in
 * X-Spip-ID without having a valid token. "stranger": no sensor; on a public port these are internet background noise.
 */
export const refusalKinds = ["own", "claimed", "stranger"] as const;

export type RefusalKind = (typeof refusalKinds)[number];

export interface RefusedCount {
  requests: number;
  /** With estimated ones. Requests of strangers have no events. */
  events: number;
  /** Whether `events` has events that were not counted but estimated. */
  isEstimate: boolean;
}

/** Requests that were refused for the same reason. Also the form in which counts are saved. */
export type RefusalsOfReason = Pick<RefusalGroup, "reason" | "count" | "events" | "isEstimate" | "lastAt">;

/** The refused requests of one kind, those that were saved before this start included. */
export class RefusalCounts {
  readonly total: RefusedCount = { requests: 0, events: 0, isEstimate: false };
  readonly byReason = new Map<string, RefusedCount>();
  /** When the last one was refused; milliseconds since the epoch. */
  lastAt: number | undefined;
  /** Whether they changed since they were saved. */
  hasNew = false;

  add({ reason, count, events, isEstimate, lastAt }: RefusalsOfReason): void {
    const ofReason = this.byReason.get(reason) ?? { requests: 0, events: 0, isEstimate: false };
    this.byReason.set(reason, ofReason);
    for (const sum of [this.total, ofReason]) {
      sum.requests += count;
      sum.events += events;
      sum.isEstimate ||= isEstimate;
    }
    this.lastAt = Math.max(lastAt, this.lastAt ?? 0);
    this.hasNew = true;
  }

  /** Each of them has to be passed to `add` to restore the counts. */
  save(): RefusalsOfReason[] {
    this.hasNew = false;
    return Array.from(this.byReason, ([reason, { requests: count, events, isEstimate }]) => ({
      ...{ reason, count, events, isEstimate },
      lastAt: this.lastAt ?? 0,
    }));
  }
}
