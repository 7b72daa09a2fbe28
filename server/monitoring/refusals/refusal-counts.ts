import type { RefusedEvents } from "../../ingest/refusal.ts";

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

/** The refused requests of one kind since the start. */
export class RefusalCounts {
  readonly total: RefusedCount = { requests: 0, events: 0, isEstimate: false };
  readonly byReason = new Map<string, RefusedCount>();
  /** When the last one was refused; milliseconds since the epoch. */
  lastAt: number | undefined;

  note(reason: string, events: RefusedEvents | undefined, at: number): void {
    const ofReason = this.byReason.get(reason) ?? { requests: 0, events: 0, isEstimate: false };
    this.byReason.set(reason, ofReason);
    for (const count of [this.total, ofReason]) {
      count.requests++;
      count.events += events?.count ?? 0;
      count.isEstimate ||= events?.isEstimate ?? false;
    }
    this.lastAt = at;
  }
}
