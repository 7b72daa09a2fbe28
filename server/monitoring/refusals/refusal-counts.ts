import type { RefusedEvents } from "../../ingest/refusal.ts";
import { add } from "../../telemetry/ledger.ts";

/**
 * Whom a refused request concerns. "own": a sensor, because the request had its token. "claimed": a sensor that it named in
 * X-Spip-ID without having a valid token. "stranger": no sensor; on a public port these are internet background noise.
 */
export const refusalKinds = ["own", "claimed", "stranger"] as const;

export type RefusalKind = (typeof refusalKinds)[number];

/** The refused requests of one kind since the start. */
export class RefusalCounts {
  requests = 0;
  /** With estimated ones. Requests of strangers have no events. */
  events = 0;
  /** Whether `events` has events that were not counted but estimated. */
  isEstimate = false;
  /** When the last one was refused; milliseconds since the epoch. */
  lastAt: number | undefined;
  readonly requestsByReason = new Map<string, number>();

  note(reason: string, events: RefusedEvents | undefined, at: number): void {
    this.requests++;
    this.events += events?.count ?? 0;
    this.isEstimate ||= events?.isEstimate ?? false;
    this.lastAt = at;
    add(this.requestsByReason, reason);
  }
}
