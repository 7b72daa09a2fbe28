import { randomBytes } from "node:crypto";
import type { Watcher } from "../sampling/event-sampler.ts";
import type { Turns } from "../sampling/time-slices.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { SearchTexts } from "./search-texts.ts";
import { type MessageSource, type Pace, type Viewer, viewerMessages } from "./viewer-messages.ts";

export interface TailOptions {
  readonly watcher: Pick<Watcher, "position" | "settle">;
  readonly recentEvents: RecentEvents;
  readonly searchTexts: SearchTexts;
  readonly turns: Turns;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly now?: () => number;
  readonly timing?: TailTiming;
  readonly maxViewers?: number;
}

export interface TailTiming {
  /** Between two messages of a stream. */
  readonly tickMs: number;
  /** Without a message for so long, a comment says that the stream is alive. */
  readonly pingMs: number;
  /** What a stop waits at most for viewers to read. */
  readonly stopMs: number;
}

/**
 * The live tail: a stream of messages (messages.ts) for each viewer. A viewer is a position in the recent
 * events and nothing else. A message is made when its connection has room for it: who is slow is told of more events and
 * shown fewer of them, and who is stuck costs nothing.
 */
export interface Tail {
  readonly viewerCount: number;
  /** undefined: there are too many viewers, or Loom is stopping. */
  open(viewer: Viewer): ReadableStream<Uint8Array> | undefined;
  /** Everything up to now goes out, as far as viewers read, and ends their streams. */
  stop(): Promise<void>;
}

const defaultTiming: TailTiming = { tickMs: 250, pingMs: 15_000, stopMs: 500 };
const defaultMaxViewers = 64;

export function createTail(options: TailOptions): Tail {
  const { watcher, recentEvents, searchTexts, turns, startedAt, now = Date.now } = options;
  const { timing = defaultTiming, maxViewers = defaultMaxViewers } = options;
  const instance = randomBytes(8).toString("hex");
  const source: MessageSource = {
    ...{ watcher, recentEvents, turns, searchTexts, instance, startedAt, now },
    pingMs: timing.pingMs,
  };
  const seats = new Set<Seat>();
  let isStopping = false;

  return {
    get viewerCount() {
      return seats.size;
    },
    open(viewer) {
      if (isStopping || seats.size >= maxViewers) return undefined;
      const seat = createSeat(source, viewer, timing.tickMs, () => seats.delete(seat));
      seats.add(seat);
      return seat.stream;
    },
    async stop() {
      watcher.settle();
      isStopping = true;
      const ends = [...seats].map((seat) => seat.stop());
      await Promise.race([Promise.all(ends), Bun.sleep(timing.stopMs)]);
      for (const seat of seats) seat.cutOff();
    },
  };
}

/** One viewer's stream, as its connection draws on it. */
interface Seat {
  readonly stream: ReadableStream<Uint8Array>;
  /** Lets everything up to now go out. Resolves when the last message is taken, or the viewer is gone. */
  stop(): Promise<void>;
  /** Ends the stream of who does not read. */
  cutOff(): void;
}

function createSeat(source: MessageSource, viewer: Viewer, tickMs: number, onLeft: () => void): Seat {
  const left = Promise.withResolvers<void>();
  let wake = () => {};
  let isGone = false;
  let isStopping = false;
  const pace: Pace = {
    nextTick: () =>
      new Promise((resolve) => {
        if (isStopping || isGone) return resolve();
        const timer = setTimeout(resolve, tickMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    get isGone() {
      return isGone;
    },
    get isStopping() {
      return isStopping;
    },
  };
  const messages = viewerMessages(source, viewer, pace);

  function leave(): void {
    if (isGone) return;
    isGone = true;
    wake();
    left.resolve();
    onLeft();
  }

  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      async pull(controller) {
        try {
          const { value, done } = await messages.next();
          if (isGone) return;
          if (value) controller.enqueue(value);
          if (!done) return;
          controller.close();
          leave();
        } catch (error) {
          leave();
          throw error;
        }
      },
      cancel: leave,
    },
    // Nothing is made before there is room for it.
    { highWaterMark: 0 },
  );

  return {
    stream,
    stop() {
      isStopping = true;
      wake();
      return left.promise;
    },
    cutOff() {
      if (isGone) return;
      controller?.close();
      leave();
    },
  };
}
