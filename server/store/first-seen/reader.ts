import type { Database } from "bun:sqlite";
import {
  type FirstSeenAnswer,
  type FirstSeenColumn,
  type FirstSeenCoverage,
  firstSeenColumns,
  type NewValuesAnswer,
} from "./answers.ts";
import { type FirstSeenFile, readMeta } from "./file.ts";

const dayMs = 86_400_000;
const hashMask = 2n ** 48n - 1n;

/** Reads a file of first times: that of a writer, or one that another connection writes. */
export class FirstSeenReader {
  readonly #database: Database;
  readonly #seed: bigint;
  readonly #since: number;

  constructor({ database, seed, since }: FirstSeenFile) {
    this.#database = database;
    this.#seed = seed;
    this.#since = since;
  }

  /** @throws DamagedFile, NewerFile, SQLiteError */
  static of(database: Database): FirstSeenReader {
    return new FirstSeenReader({ database, ...readMeta(database) });
  }

  firstSeen(column: FirstSeenColumn, value: string | number): FirstSeenAnswer {
    const c = firstSeenColumns.indexOf(column);
    const row = this.#database
      .query<{ first: number }, [number, number]>("SELECT first FROM seen WHERE c = ? AND h = ?")
      .get(c, hashOf(value, this.#seed));
    return { ...this.#coverage(c), firstSeenAt: row ? row.first * 1_000 : undefined };
  }

  /** Values that were first seen at or after `since`. @param since milliseconds since the epoch */
  newValues(column: FirstSeenColumn, since: number, limit: number): NewValuesAnswer {
    const c = firstSeenColumns.indexOf(column);
    const listedSince = Math.max(Math.floor(since / 1_000), this.#evicted(c)?.fresh ?? 0);
    const rows = this.#database
      .query<{ value: string | number; first: number }, [number, number, number]>(
        "SELECT value, min(first) AS first FROM fresh WHERE c = ? AND first >= ? GROUP BY h ORDER BY first DESC, h LIMIT ?",
      )
      .all(c, listedSince, limit + 1);
    return {
      ...this.#coverage(c),
      values: rows.slice(0, limit).map(({ value, first }) => ({ value, firstSeenAt: first * 1_000 })),
      hasMore: rows.length > limit,
      listedSince: listedSince * 1_000,
    };
  }

  #coverage(c: number): FirstSeenCoverage {
    const { n: evictedValues, last } = this.#evicted(c) ?? { n: 0, last: 0 };
    return {
      recordsSince: this.#since * 1_000,
      evictedValues,
      evictedBefore: evictedValues === 0 ? undefined : (last + 1) * dayMs,
    };
  }

  /** Read for each answer, because another process may be the one that evicts. */
  #evicted(c: number) {
    return this.#database
      .query<{ n: number; last: number; fresh: number }, [number]>(
        "SELECT n, last, fresh FROM evicted WHERE c = ?",
      )
      .get(c);
  }
}

/** The hash under which a file stores a value. */
export function hashOf(value: string | number, seed: bigint): number {
  return Number(Bun.hash.xxHash64(String(value), seed) & hashMask);
}
