import type { EnrichedBatch, WatchBatch } from "../../pipeline.ts";
import type { RecentEvents } from "../tail/recent-events.ts";
import type { SearchTexts } from "../tail/search-texts.ts";
import { fieldsOf } from "./event-fields.ts";
import { documentOf, type EventPosition, type ExaminedEvent } from "./sampled-event.ts";
import { type TakenLines, takeLines } from "./sampled-lines.ts";
import { type BudgetLimits, createBudget } from "./sampling-budget.ts";
import type { Turns } from "./time-slices.ts";

export interface WatcherOptions {
  readonly recentEvents: RecentEvents;
  readonly searchTexts: SearchTexts;
  /** Told of each examined event, in order; quick. */
  readonly onExamined: (event: ExaminedEvent) => void;
  /** `onExamined` threw, which is a defect. Told of the first time alone. */
  readonly onDefect: (error: unknown) => void;
  readonly turns: Turns;
  readonly budget?: BudgetLimits;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds, monotonic. */
  readonly monotonic?: () => number;
}

/**
 * Looks at events that were kept, as many as its budget allows: in overload it looks at fewer, and never holds up ingest.
 * What the budget gains goes to whoever comes next, so that a flood from one sensor does not hide the others.
 */
export interface Watcher {
  readonly watch: WatchBatch;
  /** Since the start. */
  readonly counts: { readonly kept: number; readonly examined: number };
  /** Every event up to there is examined, or never will be. */
  readonly position: EventPosition;
  /** Examines at once what waits for its turn. */
  settle(): void;
}

const defaultBudget: BudgetLimits = { eventsPerSecond: 10_000, bytesPerSecond: 16_000_000 };
/** What may wait for its turn: no more comes together, unless turns do not keep up with the budget. */
const maxWaitingBytes = 24 * 1024 * 1024;

const newline = 0x0a;

/** Events of one batch that wait for their turn. */
interface WaitingEvents extends TakenLines {
  readonly sensorId: string;
  readonly receivedAt: number;
  /** Of its events. */
  doneCount: number;
  /** Where the next line begins. */
  nextLineAt: number;
}

export function createWatcher(options: WatcherOptions): Watcher {
  const { recentEvents, searchTexts, turns, now = Date.now, monotonic = () => performance.now() } = options;
  const budget = createBudget(options.budget ?? defaultBudget, monotonic);
  const waiting: WaitingEvents[] = [];
  let waitingBytes = 0;
  let isTurnAsked = false;
  let kept = 0;
  let examined = 0;
  let hasDefect = false;

  function watch({ eventCount, lines, sensorId }: EnrichedBatch): void {
    const firstNumber = kept + 1;
    kept += eventCount;
    if (eventCount === 0 || waitingBytes + lines.length > maxWaitingBytes) return;
    const wantedCount = budget.allowance(eventCount, lines.length);
    if (wantedCount === 0) return;
    const taken = takeLines(lines, eventCount, wantedCount, firstNumber);
    budget.charge(taken.numbers.length, taken.lines.length);
    if (taken.numbers.length === 0) return;
    waiting.push({ ...taken, sensorId, receivedAt: now(), doneCount: 0, nextLineAt: 0 });
    waitingBytes += taken.lines.length;
    if (isTurnAsked) return;
    isTurnAsked = true;
    void turns.run(examineWaiting);
  }

  function examineWaiting(until: number): boolean {
    for (let batch = waiting[0]; batch; batch = waiting[0]) {
      examineNext(batch);
      if (batch.doneCount === batch.numbers.length) {
        waiting.shift();
        waitingBytes -= batch.lines.length;
      }
      if (performance.now() >= until && waiting.length > 0) return false;
    }
    isTurnAsked = false;
    return true;
  }

  function examineNext(batch: WaitingEvents): void {
    const number = batch.numbers[batch.doneCount++] ?? kept;
    const lineEnd = batch.lines.indexOf(newline, batch.nextLineAt);
    const line = batch.lines.subarray(batch.nextLineAt, lineEnd);
    batch.nextLineAt = lineEnd + 1;
    const { receivedAt, sensorId } = batch;
    const document = documentOf(line);
    const event = { number, ordinal: ++examined, receivedAt, sensorId, line, fields: fieldsOf(document) };
    recentEvents.add(event);
    searchTexts.note(event, document);
    try {
      options.onExamined(event);
    } catch (error) {
      if (!hasDefect) options.onDefect(error);
      hasDefect = true;
    }
  }

  return {
    watch,
    get counts() {
      return { kept, examined };
    },
    get position() {
      const next = waiting[0];
      const nextNumber = next?.numbers[next.doneCount];
      return { number: nextNumber === undefined ? kept : nextNumber - 1, ordinal: examined };
    },
    settle: () => void examineWaiting(Number.POSITIVE_INFINITY),
  };
}
