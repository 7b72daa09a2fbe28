import type { Database } from "bun:sqlite";
import type { ColumnValues } from "../../event/columns.ts";
import {
  type FirstSeenAnswer,
  type FirstSeenColumn,
  type FirstSeenLimits,
  firstSeenColumns,
  type NewValuesAnswer,
} from "./answers.ts";
import { Eviction } from "./eviction.ts";
import { inTransaction, openFirstSeenFile } from "./file.ts";
import { KnownValues } from "./known-values.ts";
import { maxValuesOf } from "./limits.ts";
import { FirstSeenReader, hashOf } from "./reader.ts";

/*
 * When values were first seen: a row for each address, payload, path, user agent, fingerprint and port, in a SQLite file beside
 * those of the store (file.ts). It answers whether a value is new.
 *
 * The key is a hash of 48 bits. A new value is taken for a known one with a probability of n / 2^48, n being the number of values
 * of its column: 7e-9 with 2,000,000. The text of a value is stored for 30 days after it was first seen.
 *
 * Invariants:
 * - One flush is one transaction. After a crash, the file has all values of a flush or none, and those of each flush that
 *   returned. A batch that is noted again changes nothing, because the first time is a minimum and the last day a maximum.
 *   So a batch is noted and flushed before it is acknowledged.
 * - Each column has a bound of its own, so that random paths cannot remove addresses. When it is exceeded, 5 % of the values are
 *   removed: those that were not seen for the longest time, and of the same day the newest. They are counted, and seem to be new
 *   when they come again. Answers say so.
 *
 * Measured on one core with 8 values an event: 1.8 to 2.4 us an event in flushes of 500 to 2,000 events of which 3 in 1,000 have a
 * new address; 10 us a new value; 25 bytes of disk a value, 50 MB for 2,000,000 addresses; 0.7 s for the flush that evicts
 * 100,000 of them; 50 ms to open the file then.
 *
 * A filter in memory, such as a cuckoo filter, would answer whether a value was seen, but not when, could not evict the oldest,
 * and would have to be written as a whole. Sorted runs of hashes would need less disk, but also merging. A table is simple, and
 * its look-ups are rare: most values of a batch were seen earlier on the same day and are found in memory (known-values.ts).
 */

/** What is noted of an event. */
export type FirstSeenValues = Partial<Pick<ColumnValues, FirstSeenColumn>>;

/** The values of one column that were noted since the last flush: their first and last times in seconds. */
type Noted = Map<string | number, { first: number; last: number }>;

const secondsPerDay = 86_400;

export class FirstSeen {
  readonly #database: Database;
  readonly #seed: bigint;
  readonly #reader: FirstSeenReader;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #eviction: Eviction;
  readonly #noted: readonly Noted[] = firstSeenColumns.map(() => new Map());
  /** Values that were seen on `#knownDay`, and since which second they are known. */
  readonly #known: readonly KnownValues[] = firstSeenColumns.map(() => new KnownValues());
  #knownDay = 0;

  /** @param path of the file, which is created if it does not exist @throws if it is damaged, or from a newer Loom */
  constructor(path: string, limits: FirstSeenLimits = {}, now: () => number = Date.now) {
    const file = openFirstSeenFile(path, secondsOf(now()));
    const { database } = file;
    this.#database = database;
    this.#seed = file.seed;
    this.#reader = new FirstSeenReader(file);
    this.#statements = prepare(database);
    this.#eviction = new Eviction(database, firstSeenColumns.length, {
      maxValues: (c) => {
        const column = firstSeenColumns[c] as FirstSeenColumn;
        return limits.maxValues?.[column] ?? maxValuesOf(column);
      },
      maxFreshValues: limits.maxFreshValues ?? 50_000,
      freshDays: limits.freshDays ?? 30,
    });
  }

  /** Notes the values of an event in memory, until the next flush. @param receivedAt milliseconds since the epoch */
  note(receivedAt: number, values: FirstSeenValues): void {
    const second = secondsOf(receivedAt);
    const isKnownDay = dayOf(second) === this.#knownDay;
    for (let c = 0; c < firstSeenColumns.length; c++) {
      const value = values[firstSeenColumns[c] as FirstSeenColumn];
      if (value === undefined) continue;
      const first = isKnownDay ? this.#known[c]?.get(value) : undefined;
      if (first === undefined || second < first) this.#noteValue(c, value, second);
    }
  }

  #noteValue(c: number, value: string | number, second: number): void {
    const noted = this.#noted[c]?.get(value);
    if (noted === undefined) this.#noted[c]?.set(value, { first: second, last: second });
    else if (second < noted.first) noted.first = second;
    else if (second > noted.last) noted.last = second;
  }

  /** Forgets what was noted since the last flush. */
  discard(): void {
    for (const noted of this.#noted) noted.clear();
  }

  /**
   * Writes what was noted, in one transaction, and removes values where there are too many.
   * @throws SQLiteError, for example if the disk is full. What was noted is either written or stays noted, so that the next flush
   * writes it.
   */
  flush(): void {
    const added = inTransaction(this.#database, () => this.#noted.map((noted, c) => this.#write(c, noted)));
    const lastDay = this.#remember();
    this.discard();
    for (const [c, rows] of added.entries()) if (this.#eviction.added(c, rows)) this.#known[c]?.clear();
    this.#eviction.expire(lastDay);
  }

  close(): void {
    this.#database.close();
  }

  firstSeen(column: FirstSeenColumn, value: string | number): FirstSeenAnswer {
    return this.#reader.firstSeen(column, value);
  }

  /** Values that were first seen at or after `since`. @param since milliseconds since the epoch */
  newValues(column: FirstSeenColumn, since: number, limit: number): NewValuesAnswer {
    return this.#reader.newValues(column, since, limit);
  }

  /** @returns the number of new values */
  #write(c: number, noted: Noted): number {
    const { find, insert, insertFresh, update, removeFresh } = this.#statements;
    let added = 0;
    for (const [value, { first, last }] of noted) {
      const hash = hashOf(value, this.#seed);
      const row = find.get(c, hash);
      if (row === null) {
        insert.run(c, hash, first, dayOf(last));
        insertFresh.run(c, first, hash, value);
        added++;
      } else if (first < row.first || dayOf(last) > row.last) {
        update.run(Math.min(first, row.first), Math.max(dayOf(last), row.last), c, hash);
        if (first < row.first && removeFresh.run(c, row.first, hash).changes > 0)
          insertFresh.run(c, first, hash, value);
      }
    }
    return added;
  }

  /**
   * Remembers what was written, so that it need not be looked up again on this day.
   * @returns the last day that was noted, also if it is before an earlier one because the clock was ahead
   */
  #remember(): number {
    const days = this.#noted.flatMap((noted) => [...noted.values()].map(({ last }) => dayOf(last)));
    const lastDay = days.length === 0 ? this.#knownDay : days.reduce((latest, day) => Math.max(latest, day));
    for (const [c, known] of this.#known.entries()) {
      if (lastDay !== this.#knownDay) known.clear();
      for (const [value, { first, last }] of this.#noted[c] ?? [])
        if (dayOf(last) === lastDay) known.set(value, first);
    }
    this.#knownDay = lastDay;
    return lastDay;
  }
}

function prepare(database: Database) {
  return {
    find: database.query<{ first: number; last: number }, [number, number]>(
      "SELECT first, last FROM seen WHERE c = ? AND h = ?",
    ),
    insert: database.query("INSERT INTO seen VALUES (?, ?, ?, ?)"),
    update: database.query("UPDATE seen SET first = ?, last = ? WHERE c = ? AND h = ?"),
    // A value that was removed and came again may be there twice.
    insertFresh: database.query("INSERT OR REPLACE INTO fresh VALUES (?, ?, ?, ?)"),
    removeFresh: database.query("DELETE FROM fresh WHERE c = ? AND first = ? AND h = ?"),
  };
}

function secondsOf(ms: number): number {
  return Math.floor(ms / 1_000);
}

function dayOf(second: number): number {
  return Math.floor(second / secondsPerDay);
}
