import { expect, test } from "bun:test";
import {
  addColumnStatements,
  createTableStatement,
  schemaText,
} from "../../../server/outputs/clickhouse/schema.ts";

const name = { database: "honey", table: "events" };

test("a server before 22.2 gets a table with one column and without settings", () => {
  expect(createTableStatement(name, { year: 18, month: 16 })).toBe(
    "CREATE TABLE IF NOT EXISTS `honey`.`events` (`event` String) ENGINE = MergeTree ORDER BY tuple()",
  );
});

test("from 22.2 on, the table drops a repeated batch", () => {
  expect(createTableStatement(name, { year: 22, month: 2 })).toEndWith(
    "\nSETTINGS non_replicated_deduplication_window = 1000",
  );
});

test("from 23.8 on, the table has columns computed from the event, and drops a repeated batch", () => {
  const statement = createTableStatement(name, { year: 23, month: 8 });
  const columns = [...statement.matchAll(/^ {4}`(\w+)` /gm)].map(([, column]) => column);
  expect(columns).toEqual([
    ...["event", "event_time", "timestamp", "sensor", "source_ip", "country", "asn", "destination_port"],
    ...["path", "user_agent", "ja4", "ja4h", "hassh", "community_id", "tags", "payload"],
  ]);
  expect(statement).toContain("non_replicated_deduplication_window");
});

test("the printed text is one statement for clickhouse-client, and comments", () => {
  const statements = schemaText(name)
    .replace(/^--.*$/gm, "")
    .trim();
  expect(statements).toBe(`${createTableStatement(name, { year: 24, month: 8 })};`);
});

test("columns are added by one statement, and stored for the existing rows by another", () => {
  const [add = "", materialize] = addColumnStatements(name, ["path", "ja4", "timestamp"]);
  expect([...add.matchAll(/ADD COLUMN IF NOT EXISTS `(\w+)`/g)].map(([, column]) => column)).toEqual([
    "path",
    "ja4",
  ]);
  expect(materialize).toBe(
    "ALTER TABLE `honey`.`events`\n    MATERIALIZE COLUMN `path`,\n    MATERIALIZE COLUMN `ja4`",
  );
  expect(addColumnStatements(name, [])).toEqual([]);
});
