import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type ClickhouseServer, startClickhouse } from "../../scripts/services/clickhouse.ts";
import { type HistoryReader, HistoryUnavailable } from "../../server/history/history-reader.ts";
import { createClickhouseHistory } from "../../server/outputs/clickhouse/history/clickhouse-history.ts";
import { minimalTable } from "../../server/outputs/clickhouse/schema.ts";
import { ExhaustiveHistory, examinedEvent } from "../support/exhaustive-history.ts";
import { testsOfLiterals } from "../support/history-literals.ts";
import { testsOfHistory } from "../support/history-suite.ts";
import { createPlainTable, historyOf, insertEvents, runSql } from "../support/history-tables.ts";
import { recordingLog } from "../support/log.ts";
import { seededDocuments, seededQueries } from "../support/seeded-history.ts";

setDefaultTimeout(120_000);

const hasClickhouse = process.env.LOOM_TEST_CLICKHOUSE_URL !== undefined;
if (!hasClickhouse) console.warn("skipped: no ClickHouse");

const everything = { terms: [], since: undefined, until: undefined };
const newest = Math.floor(Date.now() / 1000) * 1000 - 60_000;
const documents = seededDocuments({ seed: 1, count: 2000, newest, stepMs: 1000 });
const events = documents.map((document) => examinedEvent(document));

describe.skipIf(!hasClickhouse)("the history of ClickHouse 18.16", () => {
  let server: ClickhouseServer;
  let reader: HistoryReader;

  // This file starts its own server, because it changes its accounts.
  beforeAll(async () => {
    server = await startClickhouse();
    await createPlainTable(server.url, "events", documents);
    reader = historyOf(server.url, "events");
  });
  afterAll(() => server?.stop());

  testsOfHistory(() => ({ reader, events }), seededQueries({ seed: 2, count: 300, newest }));
  testsOfLiterals(() => server.url);

  describe("a table with a time and nothing else", () => {
    const log = recordingLog();
    let table: HistoryReader;

    beforeAll(async () => {
      const columns = "event String, timestamp DateTime";
      await runSql(server.url, `CREATE TABLE bare (${columns}) ENGINE = MergeTree ORDER BY timestamp`);
      await runSql(server.url, "INSERT INTO bare (event, timestamp) SELECT event, timestamp FROM events");
      table = historyOf(server.url, "bare", log);
    });

    testsOfHistory(() => ({ reader: table, events }), seededQueries({ seed: 4, count: 60, newest }));

    test("the log says once which columns it lacks, and which statements add them", () => {
      expect(log.lines).toEqual([
        {
          level: "warn",
          message: expect.stringContaining("lacks columns"),
          fields: {
            columns: expect.stringContaining("sensor, source_ip"),
            statements: expect.stringContaining(
              "ALTER TABLE `default`.`bare` ADD COLUMN IF NOT EXISTS `sensor`",
            ),
          },
        },
      ]);
    });
  });

  test("the minimal table has no history, and the reason is said", async () => {
    await runSql(server.url, minimalTable({ database: "default", table: "minimal" }));
    await insertEvents(server.url, "minimal", documents.slice(0, 3));
    const answer = historyOf(server.url, "minimal").count(everything);
    await expect(answer).rejects.toThrow(
      /no history in ClickHouse: the table default\.minimal has no column "timestamp"/,
    );
  });

  test("an empty table has a history without events", async () => {
    await createPlainTable(server.url, "nothing", []);
    const empty = historyOf(server.url, "nothing");
    expect(await empty.coverage()).toMatchObject({ oldest: undefined, newest: undefined, events: 0 });
    expect(await empty.events(everything, { limit: 5 })).toMatchObject({
      events: [],
      cursor: undefined,
      isComplete: true,
    });
    expect(await empty.top(everything, "ip", 5)).toMatchObject({
      values: [],
      others: 0,
      without: 0,
      distinct: 0,
    });
    expect(await empty.count(everything)).toMatchObject({ events: 0, isComplete: true });
  });

  test("a table that does not exist is named, and is read once it exists", async () => {
    const late = historyOf(server.url, "late");
    await expect(late.count(everything)).rejects.toThrow(
      "the table default.late does not exist in ClickHouse",
    );
    await createPlainTable(server.url, "late", documents.slice(0, 3));
    expect(await late.count(everything)).toMatchObject({ events: 3, time: "event" });
  });

  test("many equal events are each on one page", async () => {
    const [same = "", other = ""] = documents;
    await createPlainTable(server.url, "equal", [...new Array<string>(50).fill(same), other]);
    const equal = historyOf(server.url, "equal");
    const counts = new Map<string, number>();
    for (let cursor: string | undefined, page = 0; page === 0 || cursor !== undefined; page++) {
      const answer = await equal.events(everything, { limit: 7, cursor });
      for (const { document } of answer.events) counts.set(document, (counts.get(document) ?? 0) + 1);
      cursor = answer.cursor;
    }
    expect(counts).toEqual(
      new Map([
        [same, 50],
        [other, 1],
      ]),
    );
  });

  describe("a table of 3,000,000 events", () => {
    let large: HistoryReader;
    const count = 3_000_000;

    beforeAll(async () => {
      await createPlainTable(server.url, "large", []);
      const now = Math.floor(newest / 1000);
      await runSql(
        server.url,
        `INSERT INTO large (event, timestamp, sensor, payload)
          SELECT concat('{"n":"', toString(number), 'needle"}'), toDateTime(${now} - intDiv(number, 10)), 'vps-1', 'x'
          FROM (SELECT number FROM system.numbers LIMIT ${count})`,
      );
      large = historyOf(server.url, "large");
    });

    test("is counted by slices of time", async () => {
      const shares: number[] = [];
      const onProgress = ({ share }: { share: number }) => void shares.push(share);
      expect(await large.count(everything, { onProgress })).toMatchObject({
        events: count,
        isComplete: true,
      });
      expect(shares).toEqual(shares.toSorted((a, b) => a - b));
      expect(shares.at(-1)).toBe(1);
    });

    test("is searched back to a time when the deadline passes, and the number is right from there on", async () => {
      const text = { ...everything, terms: [{ kind: "text", isExcluded: false, text: "needle" }] } as const;
      const answer = await large.count(text, { deadlineMs: 1500 });
      expect(answer.isComplete).toBe(false);
      const back = answer.searchedBackTo ?? 0;
      expect(answer.events).toBeGreaterThan(0);
      const since = await large.count({ ...everything, since: back });
      const after = await large.count({ ...everything, since: back + 1 });
      expect(answer.events).toBeLessThanOrEqual(since.events);
      expect(answer.events).toBeGreaterThanOrEqual(after.events);
    });

    test("events that were not found before the deadline are found by the cursor", async () => {
      const wanted = '{"n":"<>"}';
      const at = Math.floor(newest / 1000) - 50_000;
      await runSql(server.url, `INSERT INTO large (event, timestamp) SELECT '${wanted}', toDateTime(${at})`);
      // ClickHouse cannot narrow this text, so that Loom examines every event of the time.
      const term = { kind: "text", isExcluded: false, text: "<>" } as const;
      const query = { terms: [term], since: newest - 60_000_000, until: undefined };
      const found: string[] = [];
      const isComplete: boolean[] = [];
      for (let cursor: string | undefined; isComplete.length === 0 || cursor !== undefined; ) {
        const answer = await large.events(query, { limit: 5, cursor }, { deadlineMs: 1000 });
        found.push(...answer.events.map(({ document }) => document));
        isComplete.push(answer.isComplete);
        cursor = answer.cursor;
      }
      expect(found).toEqual([wanted]);
      expect(isComplete).toContain(false);
    });

    test("an export that is not read further ends its query on the server", async () => {
      for await (const piece of large.export(everything)) {
        expect(piece.length).toBeGreaterThan(10_000);
        break;
      }
      const running = await runSql(
        server.url,
        "SELECT count() FROM system.processes WHERE query LIKE '%large%' AND query NOT LIKE '%processes%'",
      );
      expect(Number(running)).toBe(0);
    });

    test("a query ends with the reason of its client", async () => {
      const gone = new AbortController();
      const text = { ...everything, terms: [{ kind: "text", isExcluded: true, text: "absent" }] } as const;
      const answer = large.count(text, {
        signal: gone.signal,
        onProgress: () => gone.abort(new Error("gone")),
      });
      await expect(answer).rejects.toThrow("gone");
    });
  });

  test("a wrong password is the reason, and is not shown", async () => {
    const wrong = createClickhouseHistory({
      url: server.url,
      database: "default",
      table: "events",
      user: server.user,
      password: "secret-but-wrong",
      log: recordingLog(),
    });
    const error = await wrong.count(everything).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(HistoryUnavailable);
    expect(String(error)).toContain("exception 193");
    expect(String(error)).not.toContain("secret-but-wrong");
  });

  test("a server that cannot be reached is the reason", async () => {
    const gone = historyOf("http://127.0.0.1:1", "events");
    await expect(gone.count(everything)).rejects.toThrow(/ClickHouse: no answer/);
  });
});

test("the random queries find something, and not everything", () => {
  const naive = new ExhaustiveHistory(events);
  const counts = seededQueries({ seed: 2, count: 300, newest }).map((query) => naive.matching(query).length);
  const some = counts.filter((found) => found > 0 && found < events.length);
  expect(some.length).toBeGreaterThan(150);
});
