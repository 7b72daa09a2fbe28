import type { BatchBounds, StoredEvent } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import type { MutableCounts } from "./counts.ts";
import { type DeadLetterRequest, RequestQueue, removeRequest } from "./requests.ts";
import type { DeadLetterStore } from "./store.ts";

export interface RequestServerOptions {
  readonly dir: string;
  readonly output: string;
  readonly store: DeadLetterStore;
  readonly counts: MutableCounts;
  readonly log: Log;
}

/** Serves the requests of operators for one output: it drops records, and hands out events that are to be sent again. */
export class RequestServer {
  readonly #options: RequestServerOptions;
  readonly #queue: RequestQueue;
  /** The retry that is being served; undefined if none is. */
  #retry: DeadLetterRequest | undefined;
  /** The index in `#retry.sequences` of the next record to hand out. */
  #retryPosition = 0;

  constructor(options: RequestServerOptions) {
    this.#options = options;
    this.#queue = new RequestQueue(options.dir, options.output, options.log);
  }

  /** As `DeadLetters.nextRetry`. */
  async nextRetry(bounds: BatchBounds): Promise<readonly StoredEvent[] | undefined> {
    for (;;) {
      const retry = this.#retry ?? (await this.#nextRetryRequest());
      if (!retry) return undefined;
      const events = await this.#takeEvents(retry, bounds);
      if (events.length > 0) return events;
      await this.#options.store.removeUnusedLines();
      await removeRequest(retry);
      this.#retry = undefined;
    }
  }

  /** Serves the requests to drop records up to the next request for a retry. */
  async #nextRetryRequest(): Promise<DeadLetterRequest | undefined> {
    for (;;) {
      const request = await this.#queue.next();
      if (request?.action === "drop") {
        await this.#drop(request);
        continue;
      }
      this.#retry = request;
      this.#retryPosition = 0;
      return request;
    }
  }

  async #drop(request: DeadLetterRequest): Promise<void> {
    const { store, counts, log, output } = this.#options;
    const dropped = request.sequences.filter((sequence) => store.forget(sequence));
    counts.droppedEvents += dropped.length;
    await store.removeUnusedLines();
    await removeRequest(request);
    log.info("dead letters dropped on request", { output, events: dropped.length });
  }

  /** The request's next events that are still dead letters; none at its end. */
  async #takeEvents({ sequences }: DeadLetterRequest, bounds: BatchBounds): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    let bytes = 0;
    for (
      ;
      this.#retryPosition < sequences.length && events.length < bounds.maxEvents;
      this.#retryPosition++
    ) {
      const event = await this.#read(sequences[this.#retryPosition] ?? -1);
      if (!event) continue;
      bytes += event.document.length;
      if (events.length > 0 && bytes > bounds.maxBytes) break;
      events.push(event);
    }
    return events;
  }

  async #read(sequence: number): Promise<StoredEvent | undefined> {
    const { store, log, output } = this.#options;
    try {
      return (await store.read(sequence))?.event;
    } catch (error) {
      const reason = (error as Error).message;
      log.error("cannot read a dead letter for a retry; it stays in the file", {
        output,
        sequence,
        error: reason,
      });
      return undefined;
    }
  }
}
