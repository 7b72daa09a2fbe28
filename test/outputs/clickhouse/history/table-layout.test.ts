import { expect, test } from "bun:test";
import { columnNames } from "../../../../server/event/columns.ts";
import { planQuery } from "../../../../server/outputs/clickhouse/history/plan-query.ts";
import { layoutOf } from "../../../../server/outputs/clickhouse/history/table-layout.ts";
import { fieldColumns } from "../../../../server/outputs/clickhouse/table-columns.ts";

const event = { name: "event", type: "String" };
const timestamp = { name: "timestamp", type: "DateTime64(3, 'UTC')" };

test("the table of loom schema has every column that SQL can compute", () => {
  const layout = layoutOf([event, timestamp, ...fieldColumns]);
  const computed = columnNames.filter((name) => !["payload", "user", "password"].includes(name));
  expect([...(layout?.columns.keys() ?? [])]).toEqual(computed);
  expect([layout?.hasPayload, layout?.missing]).toEqual([true, []]);
});

test("columns that a table lacks, or has with another type, are listed", () => {
  const older = fieldColumns.filter(({ name }) => !["path", "payload"].includes(name));
  const table = older.map((column) => (column.name === "asn" ? { ...column, type: "String" } : column));
  const layout = layoutOf([event, timestamp, ...table]);
  expect(layout?.missing).toEqual(["asn", "path", "payload"]);
  expect([layout?.columns.has("asn"), layout?.columns.has("port")]).toEqual([false, true]);
});

test("a table without a usable time or without documents has no layout", () => {
  expect(layoutOf([event])).toBeUndefined();
  expect(layoutOf([event, { name: "timestamp", type: "String" }])).toBeUndefined();
  expect(layoutOf([{ name: "event", type: "JSON" }, timestamp])).toBeUndefined();
  expect(layoutOf([event, { name: "timestamp", type: "DateTime" }])?.missing).toHaveLength(
    fieldColumns.length,
  );
});

test("terms of columns that the table lacks are left to Loom", () => {
  const layout = layoutOf([event, timestamp]);
  if (layout === undefined) throw new Error("no layout");
  const term = {
    kind: "column",
    column: "port",
    isExcluded: false,
    values: [{ kind: "exact", value: 22 }],
  } as const;
  const plan = planQuery({ terms: [term], since: undefined, until: undefined }, layout);
  expect(plan.conditions).toEqual([]);
  expect(plan.isMatch).toBeDefined();
});
