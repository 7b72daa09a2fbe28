import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type ClickhouseServer, startClickhouse } from "../../scripts/services/clickhouse.ts";
import { type ClickhouseOptions, createClickhouseOutput } from "../../server/outputs/clickhouse/output.ts";
import { deliveryOf } from "../outputs/clickhouse/deliveries.ts";
import { silentLog } from "../support/log.ts";

setDefaultTimeout(60_000);

// This file starts its own server, because it kills the server and changes its accounts.
const hasClickhouse = process.env.LOOM_TEST_CLICKHOUSE_URL !== undefined;
if (!hasClickhouse) console.warn("skipped: no ClickHouse");

describe.skipIf(!hasClickhouse)("ClickHouse 18.16", () => {
  let server: ClickhouseServer;
  let tables = 0;

  beforeAll(async () => {
    server = await startClickhouse();
  });
  afterAll(() => server?.stop());

  /** Runs a statement with the account that has no password. @returns the answer's text */
  async function sql(query: string): Promise<string> {
    const response = await fetch(server.url, { method: "POST", body: query });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text;
  }

  /** An output for a new table, which the output creates when it first needs it, unless the options say otherwise. */
  function outputToTable(options: Partial<ClickhouseOptions> = {}) {
    const table = `events_${++tables}`;
    const output = createClickhouseOutput({
      url: server.url,
      database: "default",
      table,
      user: server.user,
      password: server.password,
      createTable: true,
      log: silentLog,
      ...options,
    });
    return {
      table,
      send: (documents: readonly string[], firstSequence = 1) =>
        output.send(deliveryOf(documents, firstSequence), AbortSignal.timeout(30_000)),
      count: async () => Number(await sql(`SELECT count() FROM ${table}`)),
      /** Every event in the table as bytes, sorted. */
      stored: async () => {
        const rows = (await sql(`SELECT hex(event) FROM ${table} FORMAT TabSeparatedRaw`)).trim().split("\n");
        return rows.map((hex) => Buffer.from(hex, "hex").toString()).sort();
      },
    };
  }

  test("stores every byte of hostile documents", async () => {
    const documents = [
      '{"quotes":"\\" \\\\ \\\\\\" \\/ \\b\\f\\n\\r\\t"}',
      '{"nul":"\\u0000","surrogate":"\\ud800","pair":"\\ud83d\\ude00"}',
      '{"emoji":"😀","nonCharacter":"\uffff","separators":"\u2028\u2029","del":"\u007f","bom":"\ufeff"}',
      '{"n":18446744073709551615,"m":1.0,"o":1e400,"p":-0}',
      '{"a":1,"a":2, "b" : [ ] }',
      `{"sql":"'); DROP TABLE x; -- \`","tabs":"\\\\t\\\\N"}`,
      `{"large":"${'\\u0001\\\\\\"é'.repeat(8000)}"}`,
      "{}",
    ].sort();
    const { send, stored } = outputToTable();
    expect(await send(documents)).toEqual({ kind: "delivered" });
    expect(await stored()).toEqual(documents);
  });

  test("accepts 10,000 events in one INSERT", async () => {
    const documents = Array.from({ length: 10_000 }, (_, i) => `{"i":${i},"text":"${"é\\n".repeat(200)}"}`);
    const { table, send, stored } = outputToTable();
    expect(await send(documents)).toEqual({ kind: "delivered" });
    expect(await stored()).toEqual(documents.sort());
    const parts = await sql(`SELECT count() FROM system.parts WHERE active AND table = '${table}'`);
    expect(Number(parts)).toBe(1);
  });

  test("a missing table blocks delivery until it exists", async () => {
    const { table, send, count } = outputToTable({ createTable: false });
    const outcome = await send(["{}"]);
    expect(outcome).toMatchObject({ kind: "hold", reason: expect.stringContaining(table) });
    await sql(`CREATE TABLE ${table} (event String) ENGINE = MergeTree ORDER BY tuple()`);
    expect(await send(["{}"])).toEqual({ kind: "delivered" });
    expect(await count()).toBe(1);
  });

  test("a missing database blocks delivery", async () => {
    expect((await outputToTable({ database: "nowhere" }).send(["{}"])).kind).toBe("hold");
  });

  test("a table without the column blocks delivery", async () => {
    const { table, send } = outputToTable();
    await sql(`CREATE TABLE ${table} (other String) ENGINE = MergeTree ORDER BY tuple()`);
    expect((await send(["{}"])).kind).toBe("hold");
  });

  test("an unknown account blocks delivery", async () => {
    expect((await outputToTable({ user: "nobody" }).send(["{}"])).kind).toBe("hold");
  });

  test("a wrong password blocks delivery until the server accepts it", async () => {
    const { send, count } = outputToTable({ password: "another" });
    expect((await send(["{}"])).kind).toBe("hold");
    await server.setPassword("another");
    try {
      expect(await send(["{}"])).toEqual({ kind: "delivered" });
      expect(await count()).toBe(1);
    } finally {
      await server.setPassword(server.password);
    }
  });

  test("one bad row makes ClickHouse reject the whole batch, and nothing of it is stored", async () => {
    const { table, send, count } = outputToTable();
    await sql(`CREATE TABLE ${table} (event String, port UInt16 MATERIALIZED toUInt16(visitParamExtractRaw(event, 'port')))
      ENGINE = MergeTree ORDER BY tuple()`);
    const documents = Array.from({ length: 1000 }, (_, i) => `{"port":${i === 700 ? '"x"' : i}}`);
    expect((await send(documents)).kind).toBe("split");
    expect(await count()).toBe(0);
    expect((await send(documents.slice(0, 700))).kind).toBe("delivered");
    expect((await send(documents.slice(700, 701), 701)).kind).toBe("split");
    expect((await send(documents.slice(701), 702)).kind).toBe("delivered");
    expect(await count()).toBe(999);
  });

  test("a batch that is sent twice is stored twice, because a MergeTree of 18.16 does not deduplicate", async () => {
    const { send, count } = outputToTable();
    await send(["{}", "[]"]);
    expect(await send(["{}", "[]"])).toEqual({ kind: "delivered" });
    expect(await count()).toBe(4);
  });

  test("after a kill of the server, delivery is retried, and the server has every event that it acknowledged", async () => {
    const { send, stored } = outputToTable();
    expect(await send(['{"a":1}'])).toEqual({ kind: "delivered" });
    await server.kill();
    try {
      expect((await send(['{"a":2}'], 2)).kind).toBe("retry");
    } finally {
      await server.start();
    }
    expect(await send(['{"a":2}'], 2)).toEqual({ kind: "delivered" });
    expect(await stored()).toEqual(['{"a":1}', '{"a":2}']);
  });
});
