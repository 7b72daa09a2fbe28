import type { Log } from "../../telemetry/log.ts";
import type { DeadLetters } from "../dead-letters/dead-letters.ts";
import type { SendResult } from "./batch-sender.ts";
import type { DiskRetry } from "./disk-retry.ts";
import type { DeliveryHealth } from "./health.ts";

export interface RejectionsOptions {
  readonly output: string;
  readonly deadLetters: Pick<DeadLetters, "add" | "noteDelivered">;
  readonly disk: DiskRetry;
  readonly health: Pick<DeliveryHealth, "delivered">;
  readonly log: Log;
}

/** Stores what an output has rejected, before the batch is acknowledged. */
export class Rejections {
  readonly #options: RejectionsOptions;

  constructor(options: RejectionsOptions) {
    this.#options = options;
  }

  /**
   * Puts the rejected events into the dead-letter file, synced, and notes there which dead letters were delivered after all.
   * @returns false when delivery was stopped before this was on disk
   */
  async store({ delivered, rejected }: SendResult): Promise<boolean> {
    const { output, deadLetters, disk, health, log } = this.#options;
    const isStored = await disk.until("store dead letters", async () => {
      await deadLetters.add(rejected);
      await deadLetters.noteDelivered(delivered.map(({ sequence }) => sequence));
      return true;
    });
    if (delivered.length > 0) health.delivered();
    const [first] = rejected;
    if (isStored && first) {
      log.warn("events rejected; they are dead letters now", {
        output,
        events: rejected.length,
        first_sequence: first.event.sequence,
        reason: first.reason,
      });
    }
    return isStored === true;
  }
}
