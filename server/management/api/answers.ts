/*
 * The answers of `/api/v1/…` (docs/api.md). This file has only types, because the page imports it too. A type that belongs
 * to another room is defined there and exported again here. Times are milliseconds since the epoch, durations have their
 * unit in their name, absent values are null.
 */

import type { Pause, Series } from "../../monitoring/history/series.ts";
import type { AttackWindow, TopList } from "../../monitoring/rollups/top-list.ts";
import type { SensorTopLists } from "../../monitoring/sensors/sensor-activity.ts";
import type { SensorState } from "../../monitoring/sensors/sensor-state.ts";
import type { OutputState } from "../../outputs/output-report.ts";
import type { Advice } from "./refusal-advice.ts";

export type { Pause, Series } from "../../monitoring/history/series.ts";
export type { AttackWindow, TopList } from "../../monitoring/rollups/top-list.ts";
export type { SensorState } from "../../monitoring/sensors/sensor-state.ts";
export type { TailBye, TailCounts, TailEvent, TailHello } from "../../monitoring/tail/messages.ts";
export type { OutputState } from "../../outputs/output-report.ts";

/** A wrong query: docs/search.md. */
export interface QueryErrorAnswer {
  readonly error: "invalid_query";
  /** The wrong part of the query, in UTF-16 code units. */
  readonly start: number;
  readonly length: number;
  readonly message: string;
  /** What the wrong part could be replaced with. */
  readonly suggestion: string | null;
}

// ---- session

export interface SessionAnswer {
  readonly expiresAt: number;
  readonly version: string;
}

// ---- overview

export interface OverviewAnswer {
  readonly now: number;
  readonly startedAt: number;
  readonly version: string;
  /** Why batches are refused, or will be soon; null: no problem. */
  readonly ingestProblem: string | null;
  /** The same, or which output cannot be used; null: no problem. */
  readonly problem: string | null;
  readonly totals: TotalsAnswer;
  readonly events: {
    /** Events kept since this start. */
    readonly kept: number;
    /** The average over the last 10 seconds. */
    readonly perSecond: number;
    readonly keptLastHour: number;
    /** Events kept in each 10 s of the last hour. */
    readonly history: Series;
  };
  readonly sensors: Readonly<Record<SensorState, number>>;
  readonly fleet: Omit<FleetAnswer, "byState">;
  readonly refusals: {
    /** Requests since this start. */
    readonly requests: number;
    readonly requestsLastHour: number;
    readonly lastAt: number | null;
    /** Requests since this start, by reason. */
    readonly byReason: Readonly<Record<string, number>>;
    /** The number of sensors that requests concern which were refused in the last hour. */
    readonly sensorsLastHour: number;
  } & RefusalKindsAnswer;
  readonly outputs: readonly OutputAnswer[];
  /** null if no database is configured and reverse DNS is off. */
  readonly enrichment: readonly FieldHits[] | null;
  readonly oldDatabases: number;
  /** Whether the built-in database of networks is used. Its licence requires that pages name its makers. */
  readonly hasBuiltinNetworks: boolean;
  readonly resources: ResourcesAnswer;
}

/** Counts over all starts of Loom, as far as the state of the dashboard was saved. */
export interface TotalsAnswer {
  /** When counting began: the first start; the same as `startedAt` if nothing is known from before this start. */
  readonly sinceAt: number;
  readonly keptEvents: number;
  readonly refusedRequests: number;
  readonly refusedByReason: Readonly<Record<string, number>>;
  /** Whether the state is saved, so that the counts continue after a restart. */
  readonly isSaved: boolean;
}

export interface ResourcesAnswer {
  readonly residentBytes: number;
  /** The CPU time used over the last 10 seconds, in cores: 0.5 is half a core. */
  readonly cpuCores: number;
  readonly outbox: OutboxAnswer | null;
  /** The file system that contains the outbox. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null;
  readonly viewers: number;
}

// ---- sensors

/** The health of all sensors. */
export interface FleetAnswer {
  readonly byState: Readonly<Record<SensorState, number>>;
  /** Sensors that an operator should look at: in the states losing, refused, quiet and silent, or with a wrong clock. */
  readonly troubled: number;
  readonly clocksOff: number;
  /** The sensor that loses the largest part of its events; null: none is losing events. */
  readonly worstLoss: { readonly sensorId: string; readonly words: string } | null;
}

/** What a sensor lost in the last five minutes. */
export interface LossAnswer {
  /** "≈ 43 % lost: over 20 requests/s" */
  readonly words: string;
  /** The refused part of its events, above 0 and at most 1. */
  readonly share: number;
  readonly refusedEvents: number;
  readonly keptEvents: number;
  readonly refusedRequests: number;
  readonly keptRequests: number;
  /** Whether `refusedEvents` has events that were not counted but estimated. */
  readonly isEstimate: boolean;
  /** The reason of most of the refused events. */
  readonly reason: string;
}

export interface SensorAnswer {
  readonly id: string;
  readonly state: SensorState;
  /** What the state is based on: "last batch 14 min ago, usual gap 2 min". Times in it are relative to `now`. */
  readonly note: string;
  /** null: none of its requests was refused in the last five minutes. */
  readonly loss: LossAnswer | null;
  /** false: a reload of the configuration removed its token. */
  readonly isConfigured: boolean;
  /** When the first batch was kept that Loom remembers. */
  readonly firstBatchAt: number | null;
  /** When the last batch was kept, before or after this start. */
  readonly lastBatchAt: number | null;
  /** The median time between two batches. */
  readonly usualGapMs: number | null;
  /** Events kept per second, over the last minute, 5 minutes and hour. */
  readonly perSecond: { readonly minute: number; readonly fiveMinutes: number; readonly hour: number };
  /** Events kept in each minute of the last hour, oldest first; null for minutes in which Loom did not run. */
  readonly sparkline: readonly (number | null)[];
  /** Since this start. */
  readonly keptEvents: number;
  readonly keptBatches: number;
  /** Events that `[[ignore]]` rules removed from these batches. */
  readonly ignoredEvents: number;
  readonly bodyBytes: number;
  /** Refused requests with its token since this start, by reason. */
  readonly refusedRequests: Readonly<Record<string, number>>;
  /** The events of these requests, estimated where they were not counted. */
  readonly refusedEvents: Readonly<Record<string, number>>;
  /** Whether `refusedEvents` has estimates. */
  readonly isRefusedEstimate: boolean;
  /** The same counts since `countedSinceAt`. */
  readonly totals: {
    readonly keptEvents: number;
    readonly keptBatches: number;
    readonly ignoredEvents: number;
    readonly bodyBytes: number;
    readonly refusedRequests: Readonly<Record<string, number>>;
    readonly refusedEvents: Readonly<Record<string, number>>;
    readonly isRefusedEstimate: boolean;
  };
  /** The last refused request with its token, or of a client that only named it in X-Spip-ID. */
  readonly lastRefusal: {
    readonly reason: string;
    readonly at: number;
    readonly isOnlyClaimed: boolean;
  } | null;
  /** Requests that named it in X-Spip-ID and were refused as unauthorized. */
  readonly claimedRefusals: number;
  /** The estimated number of events in these requests. */
  readonly claimedEvents: number;
  /** How far its clock is behind Loom's, by the time stamps of its events; null: no event had one. */
  readonly clockBehindSeconds: number | null;
  /** True if that is more than 5 minutes. */
  readonly isClockOff: boolean;
}

export interface SensorsAnswer {
  readonly now: number;
  /** When the `totals` of the sensors begin: the first start of Loom. */
  readonly countedSinceAt: number;
  readonly sensors: readonly SensorAnswer[];
}

export interface SensorDetailAnswer {
  readonly now: number;
  /** When the `totals` of the sensor begin: the first start of Loom. */
  readonly countedSinceAt: number;
  readonly sensor: SensorAnswer;
  /** Events kept in each 5 minutes of the last 24 hours. */
  readonly history: Series;
  /** Events kept in each hour of the last 31 days. */
  readonly month: Series;
  /** Events kept in each day (UTC) of the last 366 days. */
  readonly year: Series;
  /** The most frequent values in its sampled events. */
  readonly top: SensorTopLists;
  readonly refusals: readonly RefusalAnswer[];
}

/** What a new sensor needs to be configured with. */
export interface SetupAnswer {
  readonly ingest: {
    readonly isTls: boolean;
    readonly port: number;
    /** The address that the ingest port listens on; null: all interfaces. */
    readonly host: string | null;
    readonly isCertificateSelfSigned: boolean;
  };
  readonly tokenFile: string | null;
}

// ---- refusals

/** Refused requests and their events. */
export interface RefusedCountAnswer {
  readonly requests: number;
  /** The events of these requests, estimated where they were not counted; 0 for strangers. */
  readonly events: number;
  /** Whether `events` has estimates. */
  readonly isEstimate: boolean;
}

/** Refused requests of one kind since the first start of Loom, as far as the state of the dashboard was saved. */
export interface RefusalCountsAnswer extends RefusedCountAnswer {
  readonly requestsLastHour: number;
  readonly eventsLastHour: number;
  readonly lastAt: number | null;
  readonly byReason: Readonly<Record<string, RefusedCountAnswer>>;
}

/** Refused requests by whom they concern. */
export interface RefusalKindsAnswer {
  /** Requests with the token of a sensor. */
  readonly own: RefusalCountsAnswer;
  /** Requests without a valid token that named a configured sensor in X-Spip-ID. */
  readonly claimed: RefusalCountsAnswer;
  /** All other requests: on a public port, internet background noise. */
  readonly strangers: RefusalCountsAnswer;
}

export interface RefusalAnswer {
  readonly reason: string;
  readonly status: number;
  /** The sensor whose token the requests had; null: unknown. */
  readonly sensorId: string | null;
  /** True if it concerns no sensor: the requests had no valid token and named no configured sensor. */
  readonly isStranger: boolean;
  /** The sensor id that the client sent in X-Spip-ID, made printable; null: none, or that of its own token. */
  readonly claimedSensorId: string | null;
  readonly client: string | null;
  readonly detail: string | null;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Requests. */
  readonly count: number;
  /** The events of these requests, estimated where they were not counted; 0 for strangers. */
  readonly events: number;
  /** Whether `events` has estimates. */
  readonly isEstimate: boolean;
}

export interface RefusalsAnswer extends RefusalKindsAnswer {
  readonly now: number;
  /** Requests since this start. */
  readonly requests: number;
  /** Requests since `countedSinceAt`, the first start of Loom. */
  readonly totalRequests: number;
  readonly countedSinceAt: number;
  /** Requests refused in each 10 s of the last hour. */
  readonly history: Series;
  /** Those of them that concern a sensor: its own ones and those that claimed its id. */
  readonly sensorHistory: Series;
  readonly strangerHistory: Series;
  /** The most recent first. */
  readonly refusals: readonly RefusalAnswer[];
  /** Requests in groups that were evicted because there were too many. */
  readonly forgottenRequests: number;
  /** By reason: what it means and how to fix it. */
  readonly advice: Readonly<Record<string, Advice>>;
}

// ---- attacks

export interface AttackPlace {
  /** null: only the country is known. */
  readonly location: { readonly lat: number; readonly lon: number } | null;
  readonly city: string | null;
  /** ISO 3166-1 alpha-2. */
  readonly countryIsoCode: string | null;
  readonly count: number;
  /** True if it was first seen in this window in the last minute or two. */
  readonly isNew: boolean;
}

export interface AttacksAnswer {
  readonly now: number;
  readonly window: AttackWindow;
  /** When the window begins: its length ago, or at the first start of Loom. */
  readonly sinceAt: number;
  /** False if Loom was started for the first time within the window. */
  readonly isWhole: boolean;
  /** The times in the window in which Loom did not run. */
  readonly pauses: readonly Pause[];
  /** Events kept in that time. */
  readonly kept: number;
  /** The events of these that were sampled. All counts below are counts of sampled events. */
  readonly examined: number;
  readonly countries: TopList;
  readonly networks: TopList;
  readonly addresses: TopList;
  readonly ports: TopList;
  readonly paths: TopList;
  readonly userAgents: TopList;
  /** Keys are "ja4:…", "ja4h:…", "hassh:…". */
  readonly fingerprints: TopList;
  readonly places: readonly AttackPlace[];
  /** Events with a location that is not listed. */
  readonly otherPlaces: number;
  /** Events without a location. */
  readonly notLocated: number;
}

// ---- enrichment

export interface FieldHits {
  /** "source.geo.city_name" */
  readonly field: string;
  /** Events that got this field since the start. */
  readonly hits: number;
  /** Events since the start. */
  readonly events: number;
}

export interface EnrichmentAnswer {
  readonly now: number;
  readonly databases: readonly {
    readonly role: "geoip" | "asn";
    readonly type: string;
    /** "built in" if the executable carries it. */
    readonly path: string;
    /** Who made a built-in database, and its licence; null for a configured one. */
    readonly source: string | null;
    readonly builtAt: number;
    /** True if it is older than 30 days; for a built-in database, 365 days. */
    readonly isOld: boolean;
    readonly sizeBytes: number;
    readonly ipVersion: 4 | 6;
    readonly networks: number;
    /** Lookups by result, one for each event. The databases of a role are counted together. */
    readonly lookups: Readonly<Record<"hit" | "miss" | "skipped" | "error", number>>;
  }[];
  readonly fields: readonly (FieldHits & {
    /** The share of events that got this field, 0 to 1, in each 5 minutes of the last 24 hours. */
    readonly history: Series;
  })[];
  /** Empty: Loom downloads no database. */
  readonly updates: readonly {
    readonly role: "geoip" | "asn";
    /** Without secrets: "maxmind:GeoLite2-City". */
    readonly source: string;
    /** When the database was last known to be the newest one; null: never. */
    readonly succeededAt: number | null;
    /** null: a check is running. */
    readonly nextAt: number | null;
    /** null: the last check succeeded, or there was none. */
    readonly lastError: { readonly reason: string; readonly at: number } | null;
  }[];
  readonly cache: { readonly hits: number; readonly misses: number };
  /** null: reverse DNS is off. */
  readonly dns: {
    readonly questions: Readonly<Record<string, number>>;
    readonly unasked: Readonly<Record<string, number>>;
  } | null;
  /** The `[[ignore]]` rules, in the order in which they are examined. */
  readonly ignoreRules: readonly {
    readonly name: string;
    readonly action: "tag" | "drop";
    /** null: the action is "drop". */
    readonly tag: string | null;
    /** As configured; at most the first 10. */
    readonly networks: readonly string[];
    readonly networkCount: number;
    /** Events that the rule applied to since Loom started. */
    readonly events: number;
  }[];
}

// ---- outputs

export interface OutputAnswer {
  readonly name: string;
  /** The name as its vendor writes it: "ClickHouse". */
  readonly title: string;
  readonly state: OutputState;
  /** "delivering", "failing for 14 min: no answer: connection refused; next attempt in 12 s" */
  readonly words: string;
  readonly since: number;
  readonly nextTryAt: number | null;
  /** The number of failures since the last success. */
  readonly failures: number;
  /** Events delivered per second, over the last minute. */
  readonly deliveredPerSecond: number;
  /** Events delivered in each 10 s of the last hour. */
  readonly history: Series;
  readonly keptEvents: number;
  readonly deliveredEvents: number;
  readonly deadEvents: number;
  readonly droppedEvents: number;
  readonly retries: number;
  readonly waiting: { readonly events: number; readonly bytes: number; readonly oldestAt: number | null };
  readonly lastDeliveredAt: number | null;
  readonly lastError: { readonly class: string; readonly reason: string; readonly at: number } | null;
  /** The number of records in the dead-letter file. */
  readonly deadLetters: number;
}

export interface OutboxAnswer {
  readonly bytes: number;
  readonly maxBytes: number;
  readonly segments: number;
  readonly damagedEvents: number;
}

export interface OutputsAnswer {
  readonly now: number;
  readonly outputs: readonly OutputAnswer[];
  /** null if stdout is the only output, because it needs no outbox. */
  readonly outbox: OutboxAnswer | null;
}

export interface DeadLetterAnswer {
  readonly sequence: number;
  readonly sensorId: string;
  readonly receivedAt: number;
  readonly rejectedAt: number;
  readonly reason: string;
  /** A retry is requested and has not been sent yet. */
  readonly isRetryPending: boolean;
  /** The event's JSON as text. A list has only its first 300 characters. */
  readonly document: string;
  readonly documentBytes: number;
}

export interface DeadLettersAnswer {
  readonly output: string;
  readonly total: number;
  readonly records: readonly DeadLetterAnswer[];
  /** The value of `?after=` that returns the next records; null: these are the last ones. */
  readonly next: number | null;
}

export interface RetryAnswer {
  readonly requested: number;
}

// ---- history

/** How an answer about stored events was found. */
export interface HistoryCompleteness {
  /** Which time `since`, `until` and histograms mean: when Loom received an event, or its `@timestamp`. */
  readonly time: "received" | "event";
  /** False: the deadline passed, and events before `searchedBackTo` were not examined. */
  readonly isComplete: boolean;
  readonly searchedBackTo: number | null;
  /** Events that could not be read, because their part of the store is damaged. */
  readonly damagedEvents: number;
}

export interface HistoryEventAnswer {
  /** Identifies the event as long as it is stored. */
  readonly id: string;
  readonly receivedAt: number;
  readonly sensorId: string;
  /** The exact text of the document. */
  readonly document: string;
}

export interface HistoryEventsAnswer extends HistoryCompleteness {
  /** The newest first. */
  readonly events: readonly HistoryEventAnswer[];
  /** To be sent back to get older events, of which there may be none; null: there are certainly none. */
  readonly cursor: string | null;
}

export interface HistoryCountAnswer extends HistoryCompleteness {
  readonly events: number;
}

export interface HistoryTopAnswer extends HistoryCompleteness {
  readonly column: string;
  /** The most frequent first. */
  readonly values: readonly { readonly value: string | number; readonly events: number }[];
  /** Events with values that are not listed. */
  readonly others: number;
  /** Events without a value. */
  readonly without: number;
  /** The number of different values; null: too many to count. */
  readonly distinct: number | null;
}

/** Values that were first seen lately. */
export interface HistoryNewAnswer {
  readonly column: string;
  /** The newest first. */
  readonly values: readonly {
    readonly value: string | number;
    readonly firstSeenAt: number;
    /** Stored events with the value since then; null: counting took too long. */
    readonly events: number | null;
  }[];
  /** Whether there are more than `limit`. */
  readonly hasMore: boolean;
  /** Values that were first seen earlier are not listed: the list is complete since then. */
  readonly listedSince: number;
  /** Values of earlier events are not known, and count as new when they come again. */
  readonly recordsSince: number;
  /** How many known values were evicted; they count as new when they come again. */
  readonly evictedValues: number;
  /** None of them was seen at or after this time; null: none was evicted. */
  readonly evictedBefore: number | null;
}

export interface HistoryHistogramAnswer extends HistoryCompleteness {
  /** Where the first interval begins. */
  readonly from: number;
  readonly intervalMs: number;
  /** The number of events of each interval. */
  readonly counts: readonly number[];
}

export interface HistoryCoverageAnswer {
  readonly time: "received" | "event";
  readonly oldestAt: number | null;
  readonly newestAt: number | null;
  readonly events: number;
  /** On disk; null: not known. */
  readonly bytes: number | null;
  readonly damagedEvents: number;
}
