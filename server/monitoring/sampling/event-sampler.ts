import { fieldsOf } from "../../event/event-fields.ts";
import type { EnrichedBatch } from "../../pipeline.ts";
import type { RecentEvents } from "../tail/recent-events.ts";
import type { SearchTexts } from "../tail/search-texts.ts";
import { documentOf, type EventPosition, type SampledEvent } from "./sampled-event.ts";
import { type SampledLines, sampleLines } from "./sampled-lines.ts";
import { type BudgetLimits, SamplingBudget } from "./sampling-budget.ts";
import type { TimeSlices } from "./time-slices.ts";

export interface EventSamplerOptions {
  readonly recentEvents: Pick<RecentEvents, "add">;
  readonly searchTexts: Pick<SearchTexts, "note">;
  /** Called with each sampled event, in order. Must be quick. */
  readonly onSampled: (event: SampledEvent) => void;
  /** Called when `onSampled` throws, which is a defect; only the first time. */
  readonly onDefect: (error: unknown) => void;
  readonly timeSlices: Pick<TimeSlices, "run">;
  readonly budget?: BudgetLimits;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds, monotonic. */
  readonly monotonic?: () => number;
}

export interface SamplerCounts {
  /** Events kept since the start. */
  readonly kept: number;
  /** Events sampled since the start. */
  readonly sampled: number;
}

const defaultBudget: BudgetLimits = { eventsPerSecond: 10_000, bytesPerSecond: 16_000_000 };
/** The most that can be pending. The budget alone keeps it lower, unless the event loop is too busy for time slices. */
const maxPendingBytes = 24 * 1024 * 1024;

const newline = 0x0a;

/** Lines of one batch that are copied and not examined yet. */
interface PendingLines extends SampledLines {
  readonly sensorId: string;
  readonly receivedAt: number;
  /** The number of lines that are examined already. */
  doneCount: number;
  /** The offset at which the next line begins. */
  nextLineAt: number;
}

/**
 * Samples kept events for the dashboard: copies lines of each batch, as many as the budget allows, and examines them later
 * in time slices. In overload it samples fewer events; it never delays ingest. The budget is not divided between sensors in
 * advance: whatever it has earned is spent on the next batch, so that one sensor's flood does not hide the others.
 */
export class EventSampler {
  readonly #options: EventSamplerOptions;
  readonly #now: () => number;
  readonly #budget: SamplingBudget;
  readonly #pending: PendingLines[] = [];
  #pendingBytes = 0;
  #isScheduled = false;
  #kept = 0;
  #sampled = 0;
  #hasDefect = false;

  constructor(options: EventSamplerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const monotonic = options.monotonic ?? (() => performance.now());
    this.#budget = new SamplingBudget(options.budget ?? defaultBudget, monotonic);
  }

  /** See ObserveBatch: copies the lines that it samples and returns. */
  observe({ eventCount, lines, sensorId }: EnrichedBatch): void {
    const firstNumber = this.#kept + 1;
    this.#kept += eventCount;
    if (eventCount === 0 || this.#pendingBytes + lines.length > maxPendingBytes) return;
    const wantedCount = this.#budget.allowance(eventCount, lines.length);
    if (wantedCount === 0) return;
    const sampled = sampleLines(lines, eventCount, wantedCount, firstNumber);
    this.#budget.charge(sampled.numbers.length, sampled.lines.length);
    if (sampled.numbers.length === 0) return;
    this.#pending.push({ ...sampled, sensorId, receivedAt: this.#now(), doneCount: 0, nextLineAt: 0 });
    this.#pendingBytes += sampled.lines.length;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    void this.#options.timeSlices.run((until) => this.#examinePending(until));
  }

  get counts(): SamplerCounts {
    return { kept: this.#kept, sampled: this.#sampled };
  }

  /** Each event up to this position is sampled, or will never be. */
  get position(): EventPosition {
    const next = this.#pending[0];
    const nextNumber = next?.numbers[next.doneCount];
    return {
      number: nextNumber === undefined ? this.#kept : nextNumber - 1,
      ordinal: this.#sampled,
    };
  }

  /** Examines all pending lines at once. */
  flush(): void {
    this.#examinePending(Number.POSITIVE_INFINITY);
  }

  /** @returns true when no line is pending any more */
  #examinePending(until: number): boolean {
    for (let batch = this.#pending[0]; batch; batch = this.#pending[0]) {
      this.#examineNextLine(batch);
      if (batch.doneCount === batch.numbers.length) {
        this.#pending.shift();
        this.#pendingBytes -= batch.lines.length;
      }
      if (performance.now() >= until && this.#pending.length > 0) return false;
    }
    this.#isScheduled = false;
    return true;
  }

  #examineNextLine(batch: PendingLines): void {
    const { recentEvents, searchTexts, onSampled, onDefect } = this.#options;
    const { receivedAt, sensorId } = batch;
    const number = batch.numbers[batch.doneCount++] ?? this.#kept;
    const lineEnd = batch.lines.indexOf(newline, batch.nextLineAt);
    const line = batch.lines.subarray(batch.nextLineAt, lineEnd);
    batch.nextLineAt = lineEnd + 1;
    const document = documentOf(line);
    const ordinal = ++this.#sampled;
    const event = { number, ordinal, receivedAt, sensorId, line, fields: fieldsOf(document) };
    recentEvents.add(event);
    searchTexts.note(event, document);
    try {
      onSampled(event);
    } catch (error) {
      if (!this.#hasDefect) onDefect(error);
      this.#hasDefect = true;
    }
  }
}
