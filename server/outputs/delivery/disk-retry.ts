import { isOutOfSpace } from "../../disk-errors.ts";
import { type BackoffBounds, backoffMs } from "./backoff.ts";
import type { DeliveryClock } from "./clock.ts";
import type { DeliveryHealth } from "./health.ts";

export interface DiskRetryOptions {
  readonly limits: BackoffBounds;
  readonly clock: DeliveryClock;
  readonly health: Pick<DeliveryHealth, "failed" | "succeeded">;
  readonly stopping: AbortSignal;
  /** Gives a full disk some room back. @returns false if there is none to give */
  readonly releaseReserve: () => Promise<boolean>;
}

/** An action that takes longer is reported as a failure: the disk hangs, and nothing else would say so. */
const stalledAfterMs = 5_000;

/** Repeats an action on the disk until it succeeds, with the same pauses as for an output that fails. */
export class DiskRetry {
  readonly #options: DiskRetryOptions;

  constructor(options: DiskRetryOptions) {
    this.#options = options;
  }

  /**
   * @param action as the log says it after "cannot": "read the outbox"
   * @returns what `act` resolves to; undefined when delivery was stopped before it succeeded
   */
  async until<Result>(action: string, act: () => Promise<Result>): Promise<Result | undefined> {
    const { limits, clock, health, stopping, releaseReserve } = this.#options;
    let hasStalled = false;
    const reportStall = () => {
      hasStalled = true;
      const reason = `the disk has not responded for ${stalledAfterMs / 1000} s`;
      health.failed({ action, reason, errorClass: "disk", isBlocked: true, waitMs: 0 });
    };
    for (let failures = 1; ; failures++) {
      const timer = setTimeout(reportStall, stalledAfterMs);
      try {
        const result = await act();
        if (failures > 1 || hasStalled) health.succeeded();
        return result;
      } catch (error) {
        if (stopping.aborted) return undefined;
        // Delivery must not wait for room on the disk, because it is delivery that makes room.
        if (isOutOfSpace(error) && (await releaseReserve())) continue;
        const waitMs = backoffMs(failures, undefined, limits, clock.random);
        const reason = (error as Error).message;
        health.failed({ action, reason, errorClass: "disk", isBlocked: true, waitMs });
        clearTimeout(timer);
        await clock.sleep(waitMs, stopping);
      } finally {
        clearTimeout(timer);
      }
    }
  }
}
