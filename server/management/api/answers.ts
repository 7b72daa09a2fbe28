/*
 * The answers of `/api/v1/…` (docs/api.md), as the page and everyone else gets them. Only types: the page imports this
 * file too. Times are milliseconds since the epoch, durations are in the unit of their name, absent values are null.
 */

/** Equal steps of time, the oldest first; null where Loom did not run or nothing can be said. */
export interface Series {
  /** When the first step began. */
  readonly startAt: number;
  readonly stepMs: number;
  readonly values: readonly (number | null)[];
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

export type SensorState = "never_seen" | "reporting" | "quiet" | "refused" | "rate_limited";

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

export type AttackWindow = "5m" | "1h" | "24h";

export interface TopList {
  /** The most frequent first; `key` is the field's value as the tail's filter takes it, `label` a name beside it. */
  readonly entries: readonly {
    readonly key: string;
    readonly label: string | null;
    readonly count: number;
  }[];
  /** Events with other values. */
  readonly other: number;
  /** Events without a value. */
  readonly none: number;
}

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

export type OutputState = "idle" | "delivering" | "retrying" | "holding";

export interface OutputAnswer {
  readonly name: string;
  readonly state: OutputState;
  /** "delivering", "waiting for ClickHouse: connection refused; next try in 12 s" */
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
  readonly refusedAt: number;
  readonly reason: string;
  /** Asked for, and not sent yet. */
  readonly isRetryAsked: boolean;
  /** The event's JSON as text. In a list only its first 300 characters. */
  readonly document: string;
  readonly documentBytes: number;
}

export interface DeadLettersAnswer {
  readonly output: string;
  readonly total: number;
  readonly letters: readonly DeadLetterAnswer[];
  /** For `?after=` to get the next ones; null: these are the last. */
  readonly next: number | null;
}

export interface RetryAnswer {
  readonly asked: number;
}

// ---- live tail (text/event-stream)

/** The first message of a stream: `event: hello`. It has an id too: a stream that breaks right after it goes on from there. */
export interface TailHello {
  readonly now: number;
  /** Another one than in the `Last-Event-ID`: Loom was started anew since. */
  readonly instance: string;
  readonly startedAt: number;
  /** The stream goes on from the `Last-Event-ID`. */
  readonly isResumed: boolean;
  /**
   * Events between the `Last-Event-ID` and what follows that are not here any more. null: nobody can count them, because Loom
   * was started anew since; everything since that start is in the counts that follow.
   */
  readonly missed: number | null;
}

/** One kept event; its number counts all events kept since the start. */
export interface TailEvent {
  readonly number: number;
  readonly receivedAt: number;
  readonly sensorId: string;
  /** As it is delivered, byte for byte; the last member, so that its text can be cut out of the line. */
  readonly document: unknown;
}

/**
 * The first line of every other message (`event: events`, its id is `<instance>.<number of the last event that it
 * covers>`). It has several `data:` lines: this one, and then one line an event, each a TailEvent: the latest of the
 * matched ones, the oldest first. So whoever wants a document's exact text has it, 64-bit numbers and all.
 */
export interface TailCounts {
  /** Events kept since the last message = unexamined + missed + others that the filter left out + matched. */
  readonly kept: number;
  /** Of these, not looked at: they came faster than Loom looks. */
  readonly unexamined: number;
  /** Gone before this viewer took them. */
  readonly missed: number;
  /** Those of them that are not among the lines were left out, because more came than anybody can read. */
  readonly matched: number;
}

/** The last message before Loom itself ends a stream: `event: bye`. */
export interface TailBye {
  readonly reason: "stopping" | "signed_out";
}
