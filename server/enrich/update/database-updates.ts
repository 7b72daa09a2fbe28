import { setTimeout as sleep } from "node:timers/promises";
import type { DatabaseUpdate, UpdatesConfig } from "../../config/config.ts";
import { SerialQueue } from "../../serial-queue.ts";
import type { Log } from "../../telemetry/log.ts";
import { formatDuration } from "../../text/duration.ts";
import { fileState, missingFile } from "../database-file.ts";
import { describeSource, downloadTargets } from "./download-targets.ts";
import { hashOfUrl, readStoredOrigin } from "./stored-origin.ts";
import { type UpdateOptions, type UpdateOutcome, updateDatabase } from "./update-database.ts";
import { UpdateError } from "./update-error.ts";
import { waitAfterFailureMs, waitAfterSuccessMs, waitAtStartMs } from "./update-schedule.ts";

export type UpdateResult = UpdateOutcome["kind"] | "failed";

/** The state of the updates of one database. Times are milliseconds since the epoch. */
export interface UpdateReport {
  readonly role: DatabaseUpdate["role"];
  /** Without secrets: "maxmind:GeoLite2-City". */
  readonly source: string;
  /** Checks since the start, by result. */
  readonly checks: Readonly<Record<UpdateResult, number>>;
  /** When the database was last known to be the newest one, also before the start. */
  readonly succeededAt: number | undefined;
  /** undefined: a check is running. */
  readonly nextAt: number | undefined;
  /** undefined: the last check succeeded, or there was none. */
  readonly lastError: { readonly reason: string; readonly at: number } | undefined;
}

export interface DatabaseUpdatesOptions {
  readonly config: UpdatesConfig;
  readonly log: Pick<Log, "info" | "warn" | "error">;
  /** Called after a database was replaced. */
  readonly onUpdated: () => Promise<void>;
  readonly now?: () => number;
  /** Resolves after the time, or when the signal aborts. Never rejects. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A number from 0 up to, but not including, 1. */
  readonly random?: () => number;
  readonly update?: (options: UpdateOptions) => Promise<UpdateOutcome>;
}

type MutableReport = { -readonly [Name in keyof UpdateReport]: UpdateReport[Name] } & {
  readonly checks: Record<UpdateResult, number>;
};

/** Keeps the configured databases up to date while Loom runs. */
export class DatabaseUpdates {
  readonly #options: Required<DatabaseUpdatesOptions>;
  readonly #reports: readonly MutableReport[];
  readonly #stop = new AbortController();
  /** One database after the other, because each check of a new one needs as much memory as its size. */
  readonly #turns = new SerialQueue();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: DatabaseUpdatesOptions) {
    this.#options = {
      now: Date.now,
      random: Math.random,
      wait: (ms, signal) => sleep(ms, undefined, { signal, ref: false }).catch(() => {}),
      update: updateDatabase,
      ...options,
    };
    this.#reports = options.config.databases.map(({ role, source }) => ({
      role,
      source: describeSource(source),
      checks: { updated: 0, current: 0, older: 0, failed: 0 },
      succeededAt: undefined,
      nextAt: undefined,
      lastError: undefined,
    }));
  }

  reports(): readonly UpdateReport[] {
    return this.#reports;
  }

  /** Begins to check for newer databases. */
  start(): void {
    const { databases } = this.#options.config;
    this.#running = Promise.all(
      this.#reports.map((report, i) => {
        const update = databases[i];
        return update && this.#follow(update, report);
      }),
    );
  }

  /** Ends a download that is running, and resolves when its temporary file is removed. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #follow(update: DatabaseUpdate, report: MutableReport): Promise<void> {
    const { now, wait } = this.#options;
    const { signal } = this.#stop;
    let waitMs = await this.#waitAtStartMs(update, report);
    for (let failures = 0; ; ) {
      report.nextAt = now() + waitMs;
      await wait(waitMs, signal);
      if (signal.aborted) return;
      report.nextAt = undefined;
      const error = await this.#turns.run(() => this.#check(update, report));
      if (signal.aborted) return;
      failures = error === undefined ? 0 : failures + 1;
      waitMs =
        error === undefined
          ? waitAfterSuccessMs(this.#schedule)
          : waitAfterFailureMs(failures, error.retryAfterMs, this.#schedule);
      if (error) this.#logFailure(update, report, error, waitMs);
    }
  }

  async #waitAtStartMs({ path, source }: DatabaseUpdate, report: MutableReport): Promise<number> {
    const { config, now } = this.#options;
    const hashes = downloadTargets(source, config, new Date(now())).map(({ url }) => hashOfUrl(url));
    const stored = await readStoredOrigin(path);
    // A database from elsewhere was there before the source was changed: it is to be replaced soon.
    if (stored && hashes.includes(stored.urlHash)) report.succeededAt = stored.checkedAt;
    const checkedAgoMs = report.succeededAt === undefined ? undefined : now() - report.succeededAt;
    return waitAtStartMs((await fileState(path)) !== missingFile, checkedAgoMs, this.#schedule);
  }

  get #schedule() {
    const { config, random } = this.#options;
    return { intervalMs: config.intervalMs, random };
  }

  /** @returns why it failed; nothing is done after a stop */
  async #check(update: DatabaseUpdate, report: MutableReport): Promise<UpdateError | undefined> {
    const { config, now, onUpdated } = this.#options;
    if (this.#stop.signal.aborted) return undefined;
    try {
      const outcome = await this.#options.update({ update, servers: config, signal: this.#stop.signal, now });
      report.checks[outcome.kind]++;
      report.succeededAt = now();
      report.lastError = undefined;
      this.#logOutcome(update, report, outcome);
      if (outcome.kind === "updated") await onUpdated();
      return undefined;
    } catch (error) {
      const failure = error instanceof UpdateError ? error : new UpdateError(String(error), { cause: error });
      if (this.#stop.signal.aborted) return failure;
      report.checks.failed++;
      report.lastError = { reason: failure.message, at: now() };
      return failure;
    }
  }

  #logOutcome(
    { role, path }: DatabaseUpdate,
    { source }: UpdateReport,
    { kind, type, builtAt }: UpdateOutcome,
  ) {
    const { log } = this.#options;
    const fields = { role, source, path, type, build_time: new Date(builtAt).toISOString() };
    if (kind === "updated") log.info("database downloaded", fields);
    else if (kind === "current") log.info("database is up to date", fields);
    else log.warn("the server has an older database; the present one stays in use", fields);
  }

  #logFailure({ role, path }: DatabaseUpdate, { source }: UpdateReport, error: UpdateError, waitMs: number) {
    const message = `cannot update a database; nothing is replaced, retrying in ${formatDuration(waitMs)}`;
    this.#options.log.error(message, { role, source, path, reason: error.message });
  }
}
