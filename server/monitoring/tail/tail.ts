import { randomBytes } from "node:crypto";
import type { EventSampler } from "../sampling/event-sampler.ts";
import type { TimeSlices } from "../sampling/time-slices.ts";
import type { MessageSource, Viewer } from "./message-source.ts";
import { PayloadColumns } from "./payload-columns.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { SearchTexts } from "./search-texts.ts";
import { ViewerConnection } from "./viewer-connection.ts";

export interface TailOptions {
  readonly sampler: Pick<EventSampler, "position" | "flush">;
  readonly recentEvents: RecentEvents;
  readonly searchTexts: SearchTexts;
  readonly timeSlices: TimeSlices;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly now?: () => number;
  readonly timing?: TailTiming;
  readonly maxViewers?: number;
}

export interface TailTiming {
  /** The time between two messages of a stream. */
  readonly tickMs: number;
  /** After this time without a message, a comment shows that the stream is alive. */
  readonly pingMs: number;
  /** The longest time that a stop waits for viewers to read their last messages. */
  readonly stopMs: number;
}

const defaultTiming: TailTiming = { tickMs: 250, pingMs: 15_000, stopMs: 500 };
const defaultMaxViewers = 64;

/**
 * The live tail: one stream of messages (messages.ts) for each viewer. A viewer is only a position in the recent events: its
 * next message is built when its connection has room for it. A slow viewer gets messages that count more events and contain
 * fewer of them; a viewer that does not read at all costs nothing but its socket.
 */
export class Tail {
  readonly #options: TailOptions;
  readonly #source: MessageSource;
  readonly #timing: TailTiming;
  readonly #maxViewers: number;
  readonly #connections = new Set<ViewerConnection>();
  #isStopping = false;

  constructor(options: TailOptions) {
    const { sampler, recentEvents, searchTexts, timeSlices, startedAt } = options;
    this.#options = options;
    this.#timing = options.timing ?? defaultTiming;
    this.#maxViewers = options.maxViewers ?? defaultMaxViewers;
    this.#source = {
      ...{ sampler, recentEvents, timeSlices, startedAt },
      filterSources: { searchTexts, payloadColumns: new PayloadColumns() },
      instance: randomBytes(8).toString("hex"),
      now: options.now ?? Date.now,
      pingMs: this.#timing.pingMs,
    };
  }

  get viewerCount(): number {
    return this.#connections.size;
  }

  /** @returns undefined while there are too many viewers, or if Loom is stopping */
  open(viewer: Viewer): ReadableStream<Uint8Array> | undefined {
    if (this.#isStopping || this.#connections.size >= this.#maxViewers) return undefined;
    const { tickMs } = this.#timing;
    const connection = new ViewerConnection(this.#source, viewer, tickMs, () =>
      this.#connections.delete(connection),
    );
    this.#connections.add(connection);
    return connection.stream;
  }

  /** Sends every viewer the events up to now, as far as it reads them in time, and ends all streams. */
  async stop(): Promise<void> {
    this.#options.sampler.flush();
    this.#isStopping = true;
    const ends = Array.from(this.#connections, (connection) => connection.stop());
    await Promise.race([Promise.all(ends), Bun.sleep(this.#timing.stopMs)]);
    for (const connection of this.#connections) connection.abort();
  }
}
