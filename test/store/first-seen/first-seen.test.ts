import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type FirstSeenColumn,
  type FirstSeenLimits,
  firstSeenColumns,
} from "../../../server/store/first-seen/answers.ts";
import { FirstSeen } from "../../../server/store/first-seen/first-seen.ts";
import { createRandom } from "../../support/random.ts";

const day = 86_400_000;
const start = Date.parse("2026-11-01T00:00:00Z");
const directories: string[] = [];
const opened: FirstSeen[] = [];

function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), "loom-first-seen-"));
  directories.push(directory);
  return join(directory, "first-seen.db");
}

function open(path = newPath(), limits: FirstSeenLimits = {}): FirstSeen {
  const firstSeen = new FirstSeen(path, limits, () => start);
  opened.push(firstSeen);
  return firstSeen;
}

type Values = Partial<Record<FirstSeenColumn, string | number>>;
const nothing = Object.fromEntries(firstSeenColumns.map((column) => [column, undefined])) as Record<
  FirstSeenColumn,
  undefined
>;

function note(firstSeen: FirstSeen, at: number, values: Values): void {
  firstSeen.note(at, { ...nothing, ...values });
}

afterEach(() => {
  for (const firstSeen of opened.splice(0)) firstSeen.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

test("a value has its first time, and a value that was not noted has none", () => {
  const firstSeen = open();
  note(firstSeen, start + 5_999, { path: "/a", port: 80 });
  note(firstSeen, start + 9_000, { path: "/a" });
  firstSeen.flush();
  expect(firstSeen.firstSeen("path", "/a")).toEqual({
    firstSeenAt: start + 5_000,
    recordsSince: start,
    evictedValues: 0,
    evictedBefore: undefined,
  });
  expect(firstSeen.firstSeen("port", 80).firstSeenAt).toBe(start + 5_000);
  expect(firstSeen.firstSeen("path", "/b").firstSeenAt).toBeUndefined();
  expect(firstSeen.firstSeen("user_agent", "/a").firstSeenAt).toBeUndefined();
});

test("new values are listed with their text, the newest first", () => {
  const firstSeen = open();
  for (const [i, path] of ["/a", "/b", "/c"].entries()) note(firstSeen, start + i * 1_000, { path, port: i });
  firstSeen.flush();
  const answer = firstSeen.newValues("path", start + 1_000, 5);
  expect(answer.values).toEqual([
    { value: "/c", firstSeenAt: start + 2_000 },
    { value: "/b", firstSeenAt: start + 1_000 },
  ]);
  expect([answer.hasMore, answer.listedSince]).toEqual([false, start + 1_000]);
  const ports = firstSeen.newValues("port", start, 2);
  expect([ports.values.map(({ value }) => value), ports.hasMore]).toEqual([[2, 1], true]);
});

test("what was noted and not flushed is not known, and can be discarded", () => {
  const firstSeen = open();
  note(firstSeen, start, { path: "/a" });
  expect(firstSeen.firstSeen("path", "/a").firstSeenAt).toBeUndefined();
  firstSeen.discard();
  firstSeen.flush();
  expect(firstSeen.firstSeen("path", "/a").firstSeenAt).toBeUndefined();
});

test("an earlier time replaces the first time, also after a restart", () => {
  const path = newPath();
  const firstSeen = open(path);
  for (const at of [start + 2 * day + 9_000, start + 2 * day, start + day]) {
    note(firstSeen, at, { path: "/a" });
    firstSeen.flush();
    expect(firstSeen.firstSeen("path", "/a").firstSeenAt).toBe(at);
  }
  expect(firstSeen.newValues("path", 0, 9).values).toEqual([{ value: "/a", firstSeenAt: start + day }]);
  const again = open(path);
  note(again, start + 5_000, { path: "/a" });
  again.flush();
  expect(again.firstSeen("path", "/a").firstSeenAt).toBe(start + 5_000);
});

test("a flush that fails writes nothing, and the next one writes all of it", () => {
  const path = newPath();
  const firstSeen = open(path);
  const other = new Database(path);
  note(firstSeen, start, { path: "/a", ip: "x".repeat(16) });
  other.run("BEGIN IMMEDIATE");
  expect(() => firstSeen.flush()).toThrow("locked");
  other.run("ROLLBACK");
  expect(firstSeen.firstSeen("path", "/a").firstSeenAt).toBeUndefined();
  note(firstSeen, start + 1_000, { path: "/a" });
  firstSeen.flush();
  other.close();
  expect(firstSeen.firstSeen("path", "/a").firstSeenAt).toBe(start);
  expect(firstSeen.firstSeen("ip", "x".repeat(16)).firstSeenAt).toBe(start);
});

describe("beyond the bounds", () => {
  test("the values that were not seen for the longest time are evicted, counted, and may come again as new", () => {
    const path = newPath();
    const limits = { maxValues: { path: 100 } };
    const firstSeen = open(path, limits);
    for (let i = 0; i < 100; i++) note(firstSeen, start + i * 1_000, { path: `/${i}`, user_agent: `${i}` });
    firstSeen.flush();
    for (const path of ["/99", "/98"]) {
      note(firstSeen, start + day, { path });
      firstSeen.flush();
    }
    expect(firstSeen.firstSeen("path", "/97").firstSeenAt).toBe(start + 97_000);
    note(firstSeen, start + 2 * day, { path: "/new" });
    firstSeen.flush();
    const known = (name: string) => firstSeen.firstSeen("path", name).firstSeenAt !== undefined;
    const names = ["/0", "/91", "/92", "/97", "/98", "/99", "/new"];
    expect(names.filter(known)).toEqual(["/0", "/91", "/98", "/99", "/new"]);
    const evicted = { recordsSince: start, evictedValues: 6, evictedBefore: start + day };
    expect(firstSeen.newValues("path", start, 1)).toMatchObject(evicted);
    expect(firstSeen.firstSeen("user_agent", "99")).toMatchObject({
      evictedValues: 0,
      firstSeenAt: start + 99_000,
    });
    const reader = open(path, limits);
    expect(reader.firstSeen("path", "/97")).toEqual({ ...evicted, firstSeenAt: undefined });
    note(firstSeen, start + 2 * day, { path: "/97" });
    firstSeen.flush();
    expect(
      firstSeen
        .newValues("path", start + 2 * day, 9)
        .values.map(({ value }) => value)
        .toSorted(),
    ).toEqual(["/97", "/new"]);
  });

  test("a value that was evicted on the day on which it was seen is noted again", () => {
    const firstSeen = open(newPath(), { maxValues: { path: 4 } });
    for (let i = 0; i < 5; i++) note(firstSeen, start + i * 1_000, { path: `/${i}` });
    firstSeen.flush();
    expect(firstSeen.firstSeen("path", "/4").firstSeenAt).toBeUndefined();
    note(firstSeen, start + 9_000, { path: "/4" });
    firstSeen.flush();
    expect(firstSeen.firstSeen("path", "/4").firstSeenAt).toBe(start + 9_000);
  });

  test("only the newest values have their text, and the answer says since when all are listed", () => {
    const firstSeen = open(newPath(), { maxFreshValues: 20 });
    for (let i = 0; i < 21; i++) note(firstSeen, start + i * 1_000, { path: `/${i}` });
    firstSeen.flush();
    const answer = firstSeen.newValues("path", start, 50);
    expect(answer.values.map(({ value }) => value)).toEqual(
      Array.from({ length: 19 }, (_, i) => `/${20 - i}`),
    );
    expect([answer.listedSince, answer.evictedValues]).toEqual([start + 2_000, 0]);
    expect(firstSeen.firstSeen("path", "/0").firstSeenAt).toBe(start);
  });

  test("values lose their text after some days, and keep their first time", () => {
    const path = newPath();
    const firstSeen = open(path, { freshDays: 3 });
    for (const days of [0, 1, 3, 4]) {
      note(firstSeen, start + days * day, { path: `/${days}` });
      firstSeen.flush();
    }
    expect(firstSeen.newValues("path", 0, 9).values.map(({ value }) => value)).toEqual(["/4", "/3", "/1"]);
    expect(firstSeen.newValues("path", 0, 9).listedSince).toBe(start + day);
    expect(open(path).newValues("path", 0, 9).listedSince).toBe(start + day);
    expect(firstSeen.firstSeen("path", "/0").firstSeenAt).toBe(start);
  });
});

describe("a file", () => {
  test("that is damaged, or from a newer Loom, is an error", () => {
    const damaged = newPath();
    writeFileSync(damaged, "x".repeat(8_192));
    expect(() => new FirstSeen(damaged)).toThrow("not a database");
    const newer = newPath();
    open(newer).close();
    const file = new Database(newer);
    file.run("UPDATE meta SET v = 2 WHERE k = 'format'");
    file.close();
    expect(() => new FirstSeen(newer)).toThrow("it has format 2; this Loom reads format 1");
  });

  test("that was copied while it was written has whole flushes, and a batch that is noted again changes nothing", () => {
    const random = createRandom(8);
    const path = newPath();
    const firstSeen = open(path);
    const batches = Array.from({ length: 5 }, (_, b) =>
      Array.from({ length: 40 }, () => ({
        at: start + b * 60_000 + random.below(60_000),
        path: `/${random.below(300)}`,
        ip: `${random.below(300)}`,
      })),
    );
    const noteAll = (into: FirstSeen, batch: (typeof batches)[number]) => {
      for (const { at, ...values } of batch) note(into, at, values);
    };
    const all = () => firstSeenColumns.map((column) => firstSeen.newValues(column, 0, 1_000).values);
    for (const [b, batch] of batches.entries()) {
      noteAll(firstSeen, batch);
      firstSeen.flush();
      const copy = newPath();
      for (const end of ["", "-wal"]) cpSync(path + end, copy + end);
      // What a crash leaves of a transaction: frames after the last commit.
      const writer = new Database(copy);
      writer.run("PRAGMA wal_autocheckpoint = 0");
      writer.run("PRAGMA cache_size = 1");
      writer.run("BEGIN");
      for (let i = 0; i < 2_000; i++) writer.run("INSERT INTO seen VALUES (2, ?, 1, 1)", [i]);
      const torn = newPath();
      for (const end of ["", "-wal"]) cpSync(copy + end, torn + end);
      writer.run("ROLLBACK");
      writer.close();
      const after = open(torn);
      const expected = all();
      expect(firstSeenColumns.map((column) => after.newValues(column, 0, 1_000).values)).toEqual(expected);
      for (const again of batches.slice(Math.max(0, b - 2), b + 1)) noteAll(after, again);
      after.flush();
      expect(firstSeenColumns.map((column) => after.newValues(column, 0, 1_000).values)).toEqual(expected);
    }
  });
});

test("seeded batches with restarts, failures and a clock that jumps give the same answers as a map", () => {
  for (let seed = 1; seed <= 3; seed++) {
    const random = createRandom(seed);
    const path = newPath();
    const model = new Map<string, number>();
    let firstSeen = open(path);
    for (let batch = 0; batch < 30; batch++) {
      const at = start + random.below(batch + 1) * (day / 4);
      const noted: [string, number][] = [];
      for (let event = random.below(30); event > 0; event--) {
        const column = random.pick(firstSeenColumns);
        const value = column === "port" ? random.below(40) : `v${random.below(60)}`;
        const second = at + random.below(20) * 1_000;
        note(firstSeen, second, { [column]: value });
        noted.push([`${column} ${value}`, second]);
      }
      if (random.below(5) === 0) firstSeen.discard();
      else for (const [key, second] of noted) model.set(key, Math.min(model.get(key) ?? second, second));
      firstSeen.flush();
      if (random.below(8) === 0) {
        firstSeen.close();
        opened.splice(opened.indexOf(firstSeen), 1);
        firstSeen = open(path);
      }
    }
    for (const column of firstSeenColumns) {
      const expected = [...model].filter(([key]) => key.startsWith(`${column} `));
      expect(expected.length).toBeGreaterThan(3);
      for (const [key, second] of expected) {
        const value = key.slice(column.length + 1);
        expect([
          seed,
          key,
          firstSeen.firstSeen(column, column === "port" ? Number(value) : value).firstSeenAt,
        ]).toEqual([seed, key, second]);
      }
      const listed = firstSeen
        .newValues(column, 0, 1_000)
        .values.map(({ value, firstSeenAt }) => [`${column} ${value}`, firstSeenAt]);
      expect(new Map(listed as [string, number][])).toEqual(new Map(expected));
      expect(listed.length).toBe(expected.length);
    }
  }
});
