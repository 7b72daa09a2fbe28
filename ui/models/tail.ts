import { batch, signal } from "@preact/signals";
import { columnValuesOf } from "../../server/event/columns.ts";
import { type EventFields, fieldsOf } from "../../server/event/event-fields.ts";
import { payloadOf } from "../../server/event/payload.ts";
import { searchTextOf } from "../../server/event/search-text.ts";
import type { TailCounts, TailHello } from "../../server/management/api/answers.ts";
import { compileQuery } from "../../server/query/match-event.ts";
import { formatThings } from "../format/numbers.ts";
import { formatClock } from "../format/times.ts";
import type { TailArrival, TailListener } from "./tail-connection.ts";
import { parseTailQuery } from "./tail-query.ts";

export interface EventRow extends TailArrival {
  readonly kind: "event";
  readonly key: string;
  readonly order: RowOrder;
  readonly fields: EventFields;
}

/** A line between two events that says what is missing between them. */
export interface GapRow {
  readonly kind: "gap";
  readonly key: string;
  readonly order: RowOrder;
  readonly text: string;
}

export type TailRow = EventRow | GapRow;

/** The start of Loom that an event is from, counted from the first one seen, and the event's number since that start. */
type RowOrder = readonly [start: number, number: number];

/**
 * Counts since the query was set. kept = unexamined + missed + not matched + matched, and
 * matched = shown + waiting + notShown.
 */
export interface ShownCounts extends TailCounts {
  readonly sinceAt: number;
  /** Events that are or were on the page. */
  readonly shown: number;
  /** Events that arrived during a pause. The latest 500 of them are shown when it ends. */
  readonly waiting: number;
  readonly notShown: number;
}

export const maxRows = 500;
/** Rows that arrive within this time are drawn together. */
const drawIntervalMs = 200;

export type OpenTail = (query: string, listener: TailListener) => () => void;

/** The state of the live tail: the newest events first, what is missing between them, and how many were not shown. */
export class Tail {
  readonly rows = signal<readonly TailRow[]>([]);
  readonly counts = signal<ShownCounts>(noCounts(Date.now()));
  /** The text of the latest gap, which stays when its line has left the rows. */
  readonly latestGap = signal<string | undefined>(undefined);
  readonly isPaused = signal(false);
  readonly connection = signal<{
    readonly state: "connecting" | "open" | "waiting";
    readonly nextTryAt?: number | undefined;
    readonly problem?: string | undefined;
  }>({ state: "connecting" });
  readonly #open: OpenTail;
  #close: (() => void) | undefined;
  /** Rows that have arrived and are not drawn, the oldest first. */
  #arrived: TailRow[] = [];
  /** The counts including `#arrived`. They are shown together with its rows, so that the page's numbers always add up. */
  #counted: ShownCounts = noCounts(Date.now());
  #timer: ReturnType<typeof setTimeout> | undefined;
  #instance = "";
  /** Counts the starts of Loom that this page has seen. */
  #start = 0;
  #lastNumber = 0;
  #hasEndedWell = false;
  #gaps = 0;

  constructor(open: OpenTail) {
    this.#open = open;
  }

  /** Opens the tail, or changes its query: rows that match the new query stay on the page. */
  watch(query: string): void {
    this.#close?.();
    this.#arrived = [];
    const isWanted = rowPredicate(query);
    batch(() => {
      this.rows.value = this.rows.peek().filter((row) => row.kind === "event" && isWanted(row));
      this.#counted = noCounts(Date.now());
      this.counts.value = this.#counted;
      this.latestGap.value = undefined;
    });
    // A new query opens a new connection, which resumes nothing.
    this.#lastNumber = 0;
    this.#close = this.#open(query, {
      hello: (hello) => this.#greet(hello),
      events: (counts, arrivals) => this.#take(counts, arrivals),
      bye: ({ reason }) => {
        this.#hasEndedWell = reason === "stopping";
      },
      state: (state, nextTryAt, problem) => {
        this.connection.value = { state, nextTryAt, problem };
      },
    });
  }

  stop(): void {
    this.#close?.();
    this.#close = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  pause(): void {
    this.isPaused.value = true;
  }

  resume(): void {
    this.isPaused.value = false;
    this.#draw();
  }

  togglePause(): void {
    if (this.isPaused.value) this.resume();
    else this.pause();
  }

  #greet(hello: TailHello): void {
    const isFirst = this.#instance === "";
    const isOther = !isFirst && hello.instance !== this.#instance;
    if (isOther) {
      this.#start++;
      const what = this.#hasEndedWell
        ? "no events are missing"
        : "it is not known how many events arrived between the last one below and the restart";
      this.#addGap([this.#start, 0], `Loom restarted at ${formatClock(hello.startedAt)}; ${what}`);
    } else if (hello.isResumed && hello.missed !== null && hello.missed > 0) {
      this.#counted = {
        ...this.#counted,
        kept: this.#counted.kept + hello.missed,
        missed: this.#counted.missed + hello.missed,
      };
      const text = `${formatThings(hello.missed, "event")} arrived while this page was disconnected and can no longer be shown`;
      this.#addGap([this.#start, this.#lastNumber + 0.5], text);
    }
    this.#instance = hello.instance;
    this.#hasEndedWell = false;
  }

  #take(counts: TailCounts, arrivals: readonly TailArrival[]): void {
    for (const arrival of arrivals) {
      const order = [this.#start, arrival.number] as const;
      this.#arrived.push({
        kind: "event",
        key: order.join("."),
        order,
        fields: fieldsOf(arrival.document),
        ...arrival,
      });
      this.#lastNumber = Math.max(this.#lastNumber, arrival.number);
    }
    const counted = this.#counted;
    const overflow = Math.max(0, this.#arrived.length - maxRows);
    const leftOut = counts.matched - arrivals.length + eventsIn(this.#arrived.splice(0, overflow));
    this.#counted = {
      ...counted,
      kept: counted.kept + counts.kept,
      unexamined: counted.unexamined + counts.unexamined,
      missed: counted.missed + counts.missed,
      matched: counted.matched + counts.matched,
      waiting: eventsIn(this.#arrived),
      notShown: counted.notShown + leftOut,
    };
    if (this.isPaused.peek()) this.counts.value = this.#counted;
    else this.#drawSoon();
  }

  #addGap(order: RowOrder, text: string): void {
    this.#arrived.push({ kind: "gap", key: `gap ${this.#gaps++}`, order, text });
    this.latestGap.value = text;
    this.#drawSoon();
  }

  #drawSoon(): void {
    if (this.isPaused.peek() || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.isPaused.peek()) this.#draw();
    }, drawIntervalMs);
  }

  #draw(): void {
    const arrived = this.#arrived;
    this.#arrived = [];
    const { shown, waiting } = this.#counted;
    this.#counted = { ...this.#counted, shown: shown + waiting, waiting: 0 };
    batch(() => {
      if (arrived.length > 0) this.rows.value = mergeRows(this.rows.peek(), arrived);
      this.counts.value = this.#counted;
    });
  }
}

function rowPredicate(text: string): (row: EventRow) => boolean {
  const query = parseTailQuery(text);
  if (query.kind === "refused") return () => false;
  const isMatch = compileQuery(query.value);
  return ({ receivedAt, sensorId, fields, document }) => {
    const payload = payloadOf(document);
    const values = columnValuesOf(sensorId, document, fields, payload);
    return isMatch(receivedAt, values, () => searchTextOf(document, payload));
  };
}

/** Merges rows, the newest first, each of them once, at most `maxRows`. */
function mergeRows(rows: readonly TailRow[], arrived: readonly TailRow[]): TailRow[] {
  const byKey = new Map(rows.map((row) => [row.key, row]));
  for (const row of arrived) if (!byKey.has(row.key)) byKey.set(row.key, row);
  return [...byKey.values()]
    .sort((a, b) => b.order[0] - a.order[0] || b.order[1] - a.order[1])
    .slice(0, maxRows);
}

function eventsIn(rows: readonly TailRow[]): number {
  return rows.filter(({ kind }) => kind === "event").length;
}

function noCounts(sinceAt: number): ShownCounts {
  return { sinceAt, kept: 0, unexamined: 0, missed: 0, matched: 0, shown: 0, waiting: 0, notShown: 0 };
}
