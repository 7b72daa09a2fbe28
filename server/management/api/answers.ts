/*
 * The answers of `/api/v1/…` (docs/api.md), as the page and everyone else gets them. Only types: the page imports this
 * file too. Times are milliseconds since the epoch, durations are in the unit of their name, absent values are null.
 */

import type { Series } from "../../monitoring/history/series.ts";
import type { AttackWindow, TopList } from "../../monitoring/rollups/top-list.ts";
import type { SensorState } from "../../monitoring/sensors/sensor-state.ts";
import type { OutputState } from "../../outputs/output-report.ts";

export type { Series } from "../../monitoring/history/series.ts";
export type { AttackWindow, TopList } from "../../monitoring/rollups/top-list.ts";
export type { SensorState } from "../../monitoring/sensors/sensor-state.ts";
export type { TailBye, TailCounts, TailEvent, TailHello } from "../../monitoring/tail/messages.ts";
export type { OutputState } from "../../outputs/output-report.ts";

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
  /** Why batches are refused or soon are; null: all is well. */
  readonly ingestProblem: string | null;
  /** The same, or which output can't be used. */
  readonly problem: string | null;
  readonly events: {
    /** Kept since the start. */
    readonly kept: number;
    /** Over the last 10 seconds. */
    readonly perSecond: number;
    readonly keptLastHour: number;
    /** Events kept in each 10 s of the last hour. */
    readonly history: Series;
  };
  readonly sensors: Readonly<Record<SensorState, number>>;
  readonly refusals: {
    /** Requests since the start. */
    readonly requests: number;
    readonly requestsLastHour: number;
    readonly lastAt: number | null;
    /** Requests since the start, by reason. */
    readonly byReason: Readonly<Record<string, number>>;
  };
  readonly outputs: readonly OutputAnswer[];
  /** null: no database is configured and reverse DNS is off. */
  readonly enrichment: readonly FieldHits[] | null;
  readonly oldDatabases: number;
  readonly resources: ResourcesAnswer;
}

export interface ResourcesAnswer {
  readonly residentBytes: number;
  /** Of one core, over the last 10 seconds: 0.5 is half a core. */
  readonly cpuCores: number;
  readonly outbox: OutboxAnswer | null;
  /** Of the file system that the outbox lies on. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null;
  readonly viewers: number;
}

// ---- sensors

export interface SensorAnswer {
  readonly id: string;
  readonly state: SensorState;
  /** What is known, in words: "last batch 14 min ago, usual gap 2 min". Times in it are relative to `now`. */
  readonly note: string;
  /** false: its token was taken away by a reload. */
  readonly isConfigured: boolean;
  /** The last batch that was kept. */
  readonly lastBatchAt: number | null;
  /** The median time between two batches. */
  readonly usualGapMs: number | null;
  /** Events a second, kept. */
  readonly perSecond: { readonly minute: number; readonly fiveMinutes: number; readonly hour: number };
  /** Events kept in each minute of the last hour, the oldest first. */
  readonly sparkline: readonly number[];
  readonly keptEvents: number;
  readonly keptBatches: number;
  readonly bodyBytes: number;
  /** Requests since the start, by reason; with its token. */
  readonly refusedRequests: Readonly<Record<string, number>>;
  /** The last refusal, also of a client without its token that calls itself so. */
  readonly lastRefusal: {
    readonly reason: string;
    readonly at: number;
    readonly isOnlyClaimed: boolean;
  } | null;
  /** Requests that called themselves so and were refused as unauthorized. */
  readonly claimedRefusals: number;
  /** How far its clock is behind ours, from the time stamps of its events; null: none seen. */
  readonly clockBehindSeconds: number | null;
}

export interface SensorsAnswer {
  readonly now: number;
  readonly sensors: readonly SensorAnswer[];
}

export interface SensorDetailAnswer {
  readonly now: number;
  readonly sensor: SensorAnswer;
  /** Events kept in each 5 minutes of the last 24 hours. */
  readonly history: Series;
  /** Of the events that were looked at. */
  readonly top: {
    readonly sinceAt: number;
    readonly ports: TopList;
    readonly countries: TopList;
    readonly networks: TopList;
  };
  readonly refusals: readonly RefusalAnswer[];
}

/** What "Add a sensor" needs to know. */
export interface SetupAnswer {
  readonly ingest: {
    readonly isTls: boolean;
    readonly port: number;
    /** The address it listens on, where that is one; null: every interface. */
    readonly host: string | null;
    readonly isCertificateSelfSigned: boolean;
  };
  readonly tokenFile: string | null;
}

// ---- refusals

export interface RefusalAnswer {
  readonly reason: string;
  readonly status: number;
  /** The sensor whose token it was; null: unknown. */
  readonly sensorId: string | null;
  /** What the client called itself in X-Spip-ID, made printable. */
  readonly claimedSensorId: string | null;
  readonly client: string | null;
  readonly detail: string | null;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
}

export interface RefusalsAnswer {
  readonly now: number;
  /** Requests since the start. */
  readonly requests: number;
  /** Requests refused in each 10 s of the last hour. */
  readonly history: Series;
  /** The latest first. */
  readonly refusals: readonly RefusalAnswer[];
  /** Requests of groups that made room for newer ones. */
  readonly forgottenRequests: number;
  /** By reason: what it means and what to do. */
  readonly advice: Readonly<Record<string, { readonly cause: string; readonly cure: string }>>;
}

// ---- what attacks

export interface AttackPlace {
  /** null: only the country is known. */
  readonly location: { readonly lat: number; readonly lon: number } | null;
  readonly city: string | null;
  /** ISO 3166-1 alpha-2. */
  readonly countryIsoCode: string | null;
  readonly count: number;
  /** Not seen in this window before the last minute or so. */
  readonly isNew: boolean;
}

export interface AttacksAnswer {
  readonly now: number;
  readonly window: AttackWindow;
  /** Where the counts begin: the window's length ago or the start. */
  readonly sinceAt: number;
  /** Events kept in that time. */
  readonly kept: number;
  /** Of these, looked at: the rest came faster than Loom looks. Everything below is of these. */
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
  /** Located events at places that are not listed. */
  readonly otherPlaces: number;
  readonly notLocated: number;
}

// ---- enrichment

export interface FieldHits {
  /** "source.geo.city_name" */
  readonly field: string;
  /** Events that got it, since the start. */
  readonly hits: number;
  /** Events since the start. */
  readonly events: number;
}

export interface EnrichmentAnswer {
  readonly now: number;
  readonly databases: readonly {
    readonly role: "geoip" | "asn";
    readonly type: string;
    readonly path: string;
    readonly builtAt: number;
    /** Over 30 days. */
    readonly isOld: boolean;
    readonly sizeBytes: number;
    readonly ipVersion: 4 | 6;
    readonly networks: number;
    /** Events by result. */
    readonly lookups: Readonly<Record<"hit" | "miss" | "skipped" | "error", number>>;
  }[];
  readonly fields: readonly (FieldHits & {
    /** The share of events that got it, 0 to 1, in each 5 minutes of the last 24 hours. */
    readonly history: Series;
  })[];
  readonly cache: { readonly hits: number; readonly misses: number };
  /** null: reverse DNS is off. */
  readonly dns: {
    readonly questions: Readonly<Record<string, number>>;
    readonly unasked: Readonly<Record<string, number>>;
  } | null;
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
  /** Failures in a row. */
  readonly failures: number;
  /** Events a second delivered, over the last minute. */
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
  /** In the file now. */
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
  /** null: stdout alone needs none. */
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
  /** The event's JSON as text. In a list only its first 300 characters. */
  readonly document: string;
  readonly documentBytes: number;
}

export interface DeadLettersAnswer {
  readonly output: string;
  readonly total: number;
  readonly records: readonly DeadLetterAnswer[];
  /** For `?after=` to get the next ones; null: these are the last. */
  readonly next: number | null;
}

export interface RetryAnswer {
  readonly requested: number;
}
