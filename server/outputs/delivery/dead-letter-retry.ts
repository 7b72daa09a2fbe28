import type { BatchBounds, StoredEvent } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import type { DeadLetters } from "../dead-letters/dead-letters.ts";
import type { BatchSender, SendResult } from "./batch-sender.ts";
import type { DeliveryClock } from "./clock.ts";
import type { Rejections } from "./rejections.ts";

export interface DeadLetterRetryOptions {
  readonly output: string;
  readonly deadLetters: Pick<DeadLetters, "nextRetry">;
  readonly limits: BatchBounds;
  readonly sender: Pick<BatchSender, "send">;
  readonly rejections: Pick<Rejections, "store">;
  readonly clock: Pick<DeliveryClock, "monotonic">;
  readonly log: Log;
}

/** `loom dead-letters` leaves its requests on disk without notifying this process, so they are looked for at this interval. */
const lookIntervalMs = 2_000;

/** Sends dead letters again that an operator has asked for. */
export class DeadLetterRetry {
  readonly #options: DeadLetterRetryOptions;
  #nextLookAt = Number.NEGATIVE_INFINITY;
  #areRequestsReadable = true;
  #deliveredEvents = 0;

  constructor(options: DeadLetterRetryOptions) {
    this.#options = options;
  }

  /** By the monotonic clock: when `run` looks for requests again. */
  get nextLookAt(): number {
    return this.#nextLookAt;
  }

  /** Dead letters that were delivered when they were sent again, since the start. */
  get deliveredEvents(): number {
    return this.#deliveredEvents;
  }

  /** Makes the next `run` look for requests at once. */
  lookNow(): void {
    this.#nextLookAt = Number.NEGATIVE_INFINITY;
  }

  /** Serves all requests, if it is time to look for them. Returns early when delivery is stopped. */
  async run(): Promise<void> {
    const { clock, sender, rejections } = this.#options;
    if (clock.monotonic() < this.#nextLookAt) return;
    // Set before the look, so that a request that arrives during it is not missed.
    this.#nextLookAt = clock.monotonic() + lookIntervalMs;
    for (let events = await this.#next(); events; events = await this.#next()) {
      // Without evidence they stay dead letters: they must not delay the events of the outbox.
      const result = await sender.send(events, "reject");
      if (result.kind !== "done" || !(await rejections.store(result))) return;
      this.#deliveredEvents += result.delivered.length;
      this.#logResult(events, result);
    }
  }

  /** Requests that cannot be read now must not delay the events of the outbox: they are read again at the next look. */
  async #next(): Promise<readonly StoredEvent[] | undefined> {
    const { deadLetters, limits, log, output } = this.#options;
    try {
      const events = await deadLetters.nextRetry(limits);
      this.#areRequestsReadable = true;
      return events;
    } catch (error) {
      const reason = (error as Error).message;
      if (this.#areRequestsReadable)
        log.error("cannot serve requests about dead letters; trying again", { output, reason });
      this.#areRequestsReadable = false;
      return undefined;
    }
  }

  #logResult(events: readonly StoredEvent[], { delivered, rejected }: SendResult): void {
    const { log, output } = this.#options;
    const fields = { output, events: events.length, delivered: delivered.length };
    if (rejected.length === 0) log.info("dead letters delivered", fields);
    else
      log.warn("dead letters sent again; some were rejected again", {
        ...fields,
        reason: rejected[0]?.reason,
      });
  }
}
