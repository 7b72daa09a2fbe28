import type { SendResult } from "./batch-sender.ts";

/** The share of rejected events is that of this many last events, or of all events of the last batch if it has more. */
const windowEvents = 200;
/** Fewer events than these say nothing about the output. */
const minEvents = 20;
/** The size of a probe: a batch that is sent while most events are rejected. */
const probeEvents = 10;

/**
 * Notices that an output rejects most events. The cause is then rarely the events: an index with a strict mapping, or a table
 * with a wrong constraint, rejects nearly all. Without a guard, all events would become dead letters within minutes and the
 * oldest dead letters would be dropped, while the output looks healthy.
 */
export class RejectionGuard {
  /** Of the last batches, in order. */
  readonly #batches: { readonly delivered: number; readonly rejected: number }[] = [];
  #reason = "";
  #probeEvents = probeEvents;
  #rejectedProbes = 0;

  /** Notes what became of a batch from the outbox. */
  note({ delivered, rejected }: SendResult): void {
    const wasActive = this.isActive;
    this.#batches.push({ delivered: delivered.length, rejected: rejected.length });
    while (this.#totalWithoutOldest() >= windowEvents) this.#batches.shift();
    this.#reason = rejected[0]?.reason ?? this.#reason;
    if (!wasActive) {
      this.#probeEvents = probeEvents;
      this.#rejectedProbes = this.isActive ? 1 : 0;
    } else if (rejected.length === 0) {
      this.#probeEvents *= 2;
      this.#rejectedProbes = 0;
    } else {
      this.#probeEvents = probeEvents;
      this.#rejectedProbes++;
    }
  }

  /** More than half of the last events were rejected. */
  get isActive(): boolean {
    const { total, rejected } = this.#sums();
    return total >= minEvents && 2 * rejected > total;
  }

  /** Why the output counts as not ready; undefined: it does not. */
  get problem(): string | undefined {
    if (!this.isActive) return undefined;
    const { total, rejected } = this.#sums();
    return `${rejected} of the last ${total} events were rejected: ${this.#reason}`;
  }

  /** The most events that the next batch may have. */
  get maxEvents(): number {
    return this.isActive ? this.#probeEvents : Number.POSITIVE_INFINITY;
  }

  /** Probes in a row in which events were rejected: the pause before the next one grows with their number. 0: no pause. */
  get rejectedProbes(): number {
    return this.isActive ? this.#rejectedProbes : 0;
  }

  #totalWithoutOldest(): number {
    const [oldest] = this.#batches;
    return oldest ? this.#sums().total - oldest.delivered - oldest.rejected : 0;
  }

  #sums(): { readonly total: number; readonly rejected: number } {
    let delivered = 0;
    let rejected = 0;
    for (const batch of this.#batches) {
      delivered += batch.delivered;
      rejected += batch.rejected;
    }
    return { total: delivered + rejected, rejected };
  }
}
