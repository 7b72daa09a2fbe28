import { createTailApi } from "../../../server/management/api/tail.ts";
import { EventSampler, type EventSamplerOptions } from "../../../server/monitoring/sampling/event-sampler.ts";
import type { SampledEvent } from "../../../server/monitoring/sampling/sampled-event.ts";
import { TimeSlices } from "../../../server/monitoring/sampling/time-slices.ts";
import type { TailCounts, TailEvent } from "../../../server/monitoring/tail/messages.ts";
import { RecentEvents } from "../../../server/monitoring/tail/recent-events.ts";
import { SearchTexts } from "../../../server/monitoring/tail/search-texts.ts";
import { Tail, type TailTiming } from "../../../server/monitoring/tail/tail.ts";
import { until } from "../../support/until.ts";

export const quickTiming: TailTiming = { tickMs: 1, pingMs: 60_000, stopMs: 500 };
export const unlimited = { eventsPerSecond: 1e9, bytesPerSecond: 1e12 };

export interface TestTailOptions extends Partial<EventSamplerOptions> {
  readonly maxBytes?: number;
  readonly maxCount?: number;
  readonly timing?: TailTiming;
  readonly maxViewers?: number;
  readonly isSessionValid?: () => boolean;
}

/** Sampler, recent events and tail behind the API, none of them replaced. They sample every event by default. */
export function createTestTail(options: TestTailOptions = {}) {
  const { maxBytes = 16 * 1024 * 1024, maxCount = 50_000, timing = quickTiming, ...rest } = options;
  const { maxViewers = 64, isSessionValid = () => true } = rest;
  const recentEvents = new RecentEvents({ maxBytes, maxCount });
  const searchTexts = new SearchTexts();
  const timeSlices = new TimeSlices();
  const sampled: SampledEvent[] = [];
  const sampler = new EventSampler({
    recentEvents,
    searchTexts,
    timeSlices,
    budget: unlimited,
    onSampled: (event) => void sampled.push(event),
    onDefect(error) {
      throw error;
    },
    ...rest,
  });
  const tail = new Tail({
    sampler,
    recentEvents,
    searchTexts,
    timeSlices,
    startedAt: 1_000,
    timing,
    maxViewers,
  });
  const app = createTailApi({ tail, recentEvents, trackValidity: () => isSessionValid });

  return {
    ...{ recentEvents, timeSlices, sampler, tail, app, sampled },
    /** @param documents as text, or as values for JSON */
    keep(documents: readonly unknown[], sensorId = "vps-1"): void {
      sampler.observe(batchOf(documents, sensorId));
    },
    /** Resolves when each kept event is sampled or skipped. */
    settled: () => until("the sampler is idle", () => sampler.position.number === sampler.counts.kept),
    get: (path: string, headers: Record<string, string> = {}) =>
      app.handle(new Request(`http://loom.example${path}`, { headers })),
    /** Opens the tail and reads it message by message. */
    async view(query = "", headers: Record<string, string> = {}): Promise<TestViewer> {
      const response = await app.handle(new Request(`http://loom.example/api/v1/tail${query}`, { headers }));
      if (response.status !== 200 || !response.body) throw new Error(`the tail answered ${response.status}`);
      return createTestViewer(response.body);
    },
  };
}

export function batchOf(documents: readonly unknown[], sensorId = "vps-1") {
  const lines = documents.map((document) =>
    typeof document === "string" ? document : JSON.stringify(document),
  );
  return {
    sensorId,
    eventCount: documents.length,
    lines: Buffer.from(lines.map((line) => `${line}\n`).join("")),
  };
}

/** One message of a stream as EventSource returns it, with its data split into lines. */
export interface Message {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: readonly string[];
  /** The text of a comment. */
  readonly comment: string | undefined;
}

export interface TestViewer {
  /** @returns undefined if the stream has ended */
  next(): Promise<Message | undefined>;
  /** The next `events` message. */
  events(): Promise<EventsMessage>;
  /** All messages up to the end of the stream. */
  rest(): Promise<Message[]>;
  leave(): Promise<void>;
}

export interface EventsMessage extends TailCounts {
  readonly id: string;
  readonly events: readonly TailEvent[];
  readonly lines: readonly string[];
}

export function createTestViewer(body: ReadableStream<Uint8Array>): TestViewer {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";

  async function next(): Promise<Message | undefined> {
    for (let end = text.indexOf("\n\n"); ; end = text.indexOf("\n\n")) {
      if (end >= 0) {
        const message = parseMessage(text.slice(0, end));
        text = text.slice(end + 2);
        return message;
      }
      const { value, done } = await reader.read();
      if (done) return undefined;
      text += decoder.decode(value, { stream: true });
    }
  }

  return {
    next,
    async events() {
      for (let message = await next(); message; message = await next())
        if (message.event === "events") return eventsOf(message);
      throw new Error("the stream ended without events");
    },
    async rest() {
      const messages: Message[] = [];
      for (let message = await next(); message; message = await next()) messages.push(message);
      return messages;
    },
    leave: () => reader.cancel(),
  };
}

export function eventsOf({ id, data }: Message): EventsMessage {
  const [counts = "", ...lines] = data;
  return {
    ...(JSON.parse(counts) as TailCounts),
    id: id ?? "",
    events: lines.map((line) => JSON.parse(line) as TailEvent),
    lines,
  };
}

function parseMessage(text: string): Message {
  const lines = text.split("\n");
  const valuesOf = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
  return {
    event: valuesOf("event")[0] ?? "message",
    id: valuesOf("id")[0],
    data: valuesOf("data"),
    comment: valuesOf("")[0],
  };
}
