import type { ColumnName } from "../event/columns.ts";
import type { Query } from "../query/query.ts";
import type { FirstSeenAnswer, FirstSeenColumn, FirstSeenCoverage } from "../store/first-seen/answers.ts";

/*
 * Reads stored events: the interface of the store and of databases to the API, the command line and the page.
 */

/** Which time `since`, `until` and histograms mean: when Loom received an event, or the event's own `@timestamp`. */
export type HistoryTime = "received" | "event";

/** What every answer says about how it was found. */
export interface Completeness {
  readonly time: HistoryTime;
  /** False: the deadline passed. The answer covers the events back to `searchedBackTo`. */
  readonly isComplete: boolean;
  /** Milliseconds since the epoch: older events were not examined; undefined: all were. */
  readonly searchedBackTo: number | undefined;
  /** The number of events that could not be read because their part of the store is damaged. */
  readonly damagedEvents: number;
}

export interface HistoryEvent {
  /** Identifies the event as long as it is stored; opaque. ClickHouse's tables do not number their rows. */
  readonly id: string;
  /** Milliseconds since the epoch; the event's own time if the answer says so. */
  readonly receivedAt: number;
  readonly sensorId: string;
  /** The JSON text as it was delivered. */
  readonly document: string;
}

export interface EventsAnswer extends Completeness {
  /** The newest first. */
  readonly events: readonly HistoryEvent[];
  /** To be passed on to get older events, of which there may be none; undefined: there are certainly none. */
  readonly cursor: string | undefined;
}

export interface CountAnswer extends Completeness {
  readonly events: number;
}

export interface TopValue {
  /** An address as its usual text. */
  readonly value: string | number;
  readonly events: number;
}

export interface TopAnswer extends Completeness {
  /** The most frequent first; values with the same number in ascending order. */
  readonly values: readonly TopValue[];
  /** Events with values that are not listed. */
  readonly others: number;
  /** Events without a value. */
  readonly without: number;
  /** The number of different values; undefined: there are more than were counted. */
  readonly distinct: number | undefined;
}

export interface HistogramAnswer extends Completeness {
  /** Where the first interval begins, in milliseconds since the epoch. */
  readonly from: number;
  readonly intervalMs: number;
  /** The number of events of each interval. */
  readonly counts: readonly number[];
}

export interface CoverageAnswer {
  readonly time: HistoryTime;
  /** The times of the oldest and the newest stored event; undefined: nothing is stored. */
  readonly oldest: number | undefined;
  readonly newest: number | undefined;
  readonly events: number;
  /** On disk; undefined: not known. */
  readonly bytes: number | undefined;
  readonly damagedEvents: number;
}

/** Values that were first seen lately. What is not known of older values, the coverage says. */
export interface NewHistoryValues extends FirstSeenCoverage {
  /** The newest first. */
  readonly values: readonly {
    /** An address as its usual text. */
    readonly value: string | number;
    /** Milliseconds since the epoch, a whole second. */
    readonly firstSeenAt: number;
    /** Stored events with this value since then; undefined: they were not counted before the deadline. */
    readonly events: number | undefined;
  }[];
  /** Whether there are more of them than the limit. */
  readonly hasMore: boolean;
  /** Milliseconds since the epoch: values that were first seen earlier are not listed; at least `since`. */
  readonly listedSince: number;
}

/** Told while a query runs. */
export interface Progress {
  /** 0 to 1, of what has to be searched. */
  readonly share: number;
  readonly searchedBackTo: number | undefined;
}

export interface QueryOptions {
  /** Ends the query: the client has gone away. */
  readonly signal?: AbortSignal;
  /** How long the query may take; default 5,000. */
  readonly deadlineMs?: number;
  readonly onProgress?: (progress: Progress) => void;
}

/** @throws HistoryUnavailable from every method */
export interface HistoryReader {
  coverage(): Promise<CoverageAnswer>;
  /** @param cursor of an earlier answer to the same query */
  events(
    query: Query,
    page: { readonly limit: number; readonly cursor?: string | undefined },
    options?: QueryOptions,
  ): Promise<EventsAnswer>;
  /** The event with this id; undefined: it is not stored (any more). */
  event(id: string, options?: QueryOptions): Promise<HistoryEvent | undefined>;
  count(query: Query, options?: QueryOptions): Promise<CountAnswer>;
  top(query: Query, column: ColumnName, limit: number, options?: QueryOptions): Promise<TopAnswer>;
  histogram(
    query: Query,
    range: { readonly from: number; readonly to: number; readonly intervalMs: number },
    options?: QueryOptions,
  ): Promise<HistogramAnswer>;
  /** Values of a column that were first seen at or after `since`, also if their events are not stored any more. */
  newValues(
    column: FirstSeenColumn,
    since: number,
    limit: number,
    options?: QueryOptions,
  ): Promise<NewHistoryValues>;
  /** When a value was first seen. @param value an address as any text */
  firstSeen(
    column: FirstSeenColumn,
    value: string | number,
    options?: QueryOptions,
  ): Promise<FirstSeenAnswer>;
  /** All matching events, the oldest first, some hundred at a time. Has no deadline and no bound. */
  export(
    query: Query,
    options?: Pick<QueryOptions, "signal" | "onProgress">,
  ): AsyncIterable<readonly HistoryEvent[]>;
  close(): Promise<void>;
}

/** No history can be read: nothing stores any, the table has no columns, or the queue of queries is full. The message says which. */
export class HistoryUnavailable extends Error {
  override readonly name = "HistoryUnavailable";
}
