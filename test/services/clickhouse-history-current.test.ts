import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { HistoryReader } from "../../server/history/history-reader.ts";
import { addColumnStatements, modernTable } from "../../server/outputs/clickhouse/schema.ts";
import { fieldColumns } from "../../server/outputs/clickhouse/table-columns.ts";
import { type ChdbServer, startChdb } from "../support/chdb-server.ts";
import { examinedEvent } from "../support/exhaustive-history.ts";
import { testsOfLiterals } from "../support/history-literals.ts";
import { testsOfHistory } from "../support/history-suite.ts";
import { createModernTable, historyOf, insertEvents, runSql } from "../support/history-tables.ts";
import { seededDocuments, seededQueries } from "../support/seeded-history.ts";

setDefaultTimeout(120_000);

const chdb = process.env.LOOM_TEST_CHDB;
if (chdb === undefined) console.warn("skipped: no chdb");

const everything = { terms: [], since: undefined, until: undefined };
const newest = Date.now() - 60_000;
const documents = seededDocuments({ seed: 1, count: 2000, newest, stepMs: 1 });
const events = documents.map((document) => examinedEvent(document));
const newer = ["path", "user_agent", "ja4", "ja4h", "hassh", "community_id", "tags", "payload"];

describe.skipIf(chdb === undefined)(
  "the history of a current ClickHouse, in the table of loom schema",
  () => {
    let server: ChdbServer;
    let reader: HistoryReader;

    beforeAll(async () => {
      server = await startChdb(chdb ?? "");
      await createModernTable(server.url, "events", documents);
      reader = historyOf(server.url, "events");
    });
    afterAll(() => server?.stop());

    testsOfHistory(() => ({ reader, events }), seededQueries({ seed: 2, count: 300, newest }));
    testsOfLiterals(() => server.url);

    test("no event is rejected for its content", async () => {
      const hostile = [
        ...[
          "{}",
          "[]",
          "null",
          '"text"',
          "1e400",
          "not JSON",
          "",
          '{"a":"\\ud800"}',
          '{"source":5,"tags":{"a":[1]}}',
        ],
        ...[
          '{"tags":[null,[],{},"\\u0000",1e400]}',
          '{"tags":"\\ud800"}',
          '{"url":{"path":["x"]}}',
          '{"event":[]}',
        ],
        ...['{"event":{"original_payload_hex":"0g"}}', '{"event":{"original_payload_hex":"\\u0000\\u0000"}}'],
        ...['{"destination":{"port":-1}}', '{"source":{"ip":"::1%x","as":{"number":1.5e300}}}'],
        `{"deep":${"[".repeat(64)}${"]".repeat(64)}}`,
        JSON.stringify({ tags: new Array(1000).fill("x".repeat(1000)), url: { path: "é".repeat(70_000) } }),
      ];
      await createModernTable(server.url, "hostile", hostile);
      const answer = await historyOf(server.url, "hostile").events(everything, { limit: 100 });
      expect(answer.events.map(({ document }) => document).toSorted()).toEqual(hostile.toSorted());
    });

    test("the columns that are added to a table of Loom 0.1 have values for the older rows too", async () => {
      const statement = modernTable({ database: "default", table: "older" });
      const without = statement
        .replace(/,\n {4}INDEX `community_id_index`[^\n]*/, "")
        .replace(
          / {4}`(?:path|user_agent|ja4|ja4h|hassh|community_id|tags|payload)` [\s\S]*?(?=,\n {4}[`I])/g,
          "",
        )
        .replace(/(?:,\n)+/g, ",\n");
      await runSql(server.url, without);
      await insertEvents(server.url, "older", documents);
      const columnsOf = () =>
        runSql(server.url, "SELECT name FROM system.columns WHERE table = 'older' FORMAT TabSeparated");
      expect((await columnsOf()).split("\n")).not.toContain("path");
      for (const alter of addColumnStatements({ database: "default", table: "older" }, newer))
        await runSql(server.url, alter);
      expect((await columnsOf()).split("\n")).toEqual(
        expect.arrayContaining(fieldColumns.map(({ name }) => name)),
      );
      const sums = (table: string) =>
        runSql(
          server.url,
          `SELECT ${newer.map((name) => `groupBitXor(cityHash64(${name}))`).join(", ")} FROM default.${table}`,
        );
      expect(await sums("older")).toBe(await sums("events"));
    });
  },
);
