import type { Database } from "bun:sqlite";
import { inTransaction } from "./file.ts";

/*
 * Keeps first-seen.ts within its bounds: counts the rows of its tables, and removes some where there are too many.
 */

export interface EvictionLimits {
  /** The number of values of a column. */
  readonly maxValues: (c: number) => number;
  readonly maxFreshValues: number;
  readonly freshDays: number;
}

const secondsPerDay = 86_400;
/** So much is removed at once, of the bound, because finding what to remove reads all rows of the column. */
const removedShare = 0.05;

interface Counts {
  seen: number;
  fresh: number;
  evictedValues: number;
  /** The last day on which one of the evicted values was seen. */
  evictedLastDay: number;
  /** Seconds since the epoch: values that were first seen earlier may lack their text. */
  freshSince: number;
}

export class Eviction {
  readonly #database: Database;
  readonly #limits: EvictionLimits;
  #columns: readonly Counts[];
  #expiredDay = 0;

  constructor(database: Database, columnCount: number, limits: EvictionLimits) {
    this.#database = database;
    this.#limits = limits;
    this.#columns = Array.from({ length: columnCount }, (_, c) => this.#readCounts(c));
  }

  /** Counts rows that were added to both tables. @returns whether values were removed because there are too many of them */
  added(c: number, rows: number): boolean {
    const counts = this.#columns[c];
    if (counts === undefined) return false;
    counts.seen += rows;
    counts.fresh += rows;
    if (counts.fresh > this.#limits.maxFreshValues) this.#removeFresh(c, counts);
    if (counts.seen <= this.#limits.maxValues(c)) return false;
    this.#removeSeen(c, counts);
    return true;
  }

  /** Removes the text of values that were first seen too long ago. Does so once a day. @param day since the epoch */
  expire(day: number): void {
    if (day <= this.#expiredDay) return;
    const oldest = (day - this.#limits.freshDays) * secondsPerDay;
    this.#transaction(() => {
      for (const [c, counts] of this.#columns.entries()) this.#removeFreshBefore(c, counts, oldest);
    });
    this.#expiredDay = day;
  }

  /** After an error, the counts are those of the file again. */
  #transaction(work: () => void): void {
    try {
      inTransaction(this.#database, work);
    } catch (error) {
      this.#columns = this.#columns.map((_, c) => this.#readCounts(c));
      throw error;
    }
  }

  #readCounts(c: number): Counts {
    const count = (table: "seen" | "fresh") =>
      this.#database.query<{ n: number }, [number]>(`SELECT count(*) AS n FROM ${table} WHERE c = ?`).get(c)
        ?.n ?? 0;
    const evicted = this.#database
      .query<{ n: number; last: number; fresh: number }, [number]>(
        "SELECT n, last, fresh FROM evicted WHERE c = ?",
      )
      .get(c);
    return {
      seen: count("seen"),
      fresh: count("fresh"),
      evictedValues: evicted?.n ?? 0,
      evictedLastDay: evicted?.last ?? 0,
      freshSince: evicted?.fresh ?? 0,
    };
  }

  #removeSeen(c: number, counts: Counts): void {
    const max = this.#limits.maxValues(c);
    const excess = counts.seen - Math.floor(max * (1 - removedShare));
    this.#transaction(() => {
      const last = this.#database
        .query<{ last: number; first: number; h: number }, [number, number]>(
          "SELECT last, first, h FROM seen WHERE c = ? ORDER BY last, first DESC, h LIMIT 1 OFFSET ?",
        )
        .get(c, excess - 1);
      if (last === null) return;
      const { changes } = this.#database
        .query("DELETE FROM seen WHERE c = ? AND (last, -first, h) <= (?, ?, ?)")
        .run(c, last.last, -last.first, last.h);
      counts.seen -= changes;
      counts.evictedValues += changes;
      counts.evictedLastDay = Math.max(counts.evictedLastDay, last.last);
      this.#writeCounts(c, counts);
    });
  }

  #removeFresh(c: number, counts: Counts): void {
    const excess = counts.fresh - Math.floor(this.#limits.maxFreshValues * (1 - removedShare));
    this.#transaction(() => {
      const last = this.#database
        .query<{ first: number }, [number, number]>(
          "SELECT first FROM fresh WHERE c = ? ORDER BY first LIMIT 1 OFFSET ?",
        )
        .get(c, excess - 1);
      // Values of the same second are removed together, so that from the next second on all are listed.
      if (last !== null) this.#removeFreshBefore(c, counts, last.first + 1);
    });
  }

  #removeFreshBefore(c: number, counts: Counts, second: number): void {
    counts.fresh -= this.#database
      .query("DELETE FROM fresh WHERE c = ? AND first < ?")
      .run(c, second).changes;
    counts.freshSince = Math.max(counts.freshSince, second);
    this.#writeCounts(c, counts);
  }

  #writeCounts(c: number, { evictedValues, evictedLastDay, freshSince }: Counts): void {
    this.#database
      .query("INSERT OR REPLACE INTO evicted VALUES (?, ?, ?, ?)")
      .run(c, evictedValues, evictedLastDay, freshSince);
  }
}
