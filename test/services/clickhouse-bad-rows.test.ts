import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClickhouseServer, startClickhouse } from "../../scripts/services/clickhouse.ts";
import { createClickhouseOutput } from "../../server/outputs/clickhouse/output.ts";
import { deadLettersPath, openDeadLetters } from "../../server/outputs/dead-letters/dead-letters.ts";
import { OutputDelivery } from "../../server/outputs/delivery/delivery.ts";
import { limits } from "../outputs/delivery/delivery-bench.ts";
import { silentLog } from "../support/log.ts";
import { createMemoryOutbox } from "../support/memory-outbox.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);

const hasClickhouse = process.env.LOOM_TEST_CLICKHOUSE_URL !== undefined;
if (!hasClickhouse) console.warn("skipped: no ClickHouse");

describe.skipIf(!hasClickhouse)(
  "rows that a table of the operator does not accept, with ClickHouse 18.16",
  () => {
    let server: ClickhouseServer;
    let tables = 0;

    beforeAll(async () => {
      server = await startClickhouse();
    });
    afterAll(() => server?.stop());

    async function sql(query: string): Promise<string> {
      const response = await fetch(server.url, { method: "POST", body: query });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      return text;
    }

    /** Delivery of events, with short pauses, to a table with one more column. */
    async function deliveryTo(column: string) {
      const table = `own_${++tables}`;
      await sql(`CREATE TABLE ${table} (event String, ${column}) ENGINE = MergeTree ORDER BY tuple()`);
      const dir = mkdtempSync(join(tmpdir(), "loom-bad-rows-"));
      const outbox = createMemoryOutbox();
      const delivery = new OutputDelivery({
        reader: outbox,
        outboxId: "outbox-1",
        output: createClickhouseOutput({
          url: server.url,
          database: "default",
          table,
          user: server.user,
          password: server.password,
          createTable: false,
          log: silentLog,
        }),
        deadLetters: await openDeadLetters({ dir, output: "clickhouse", log: silentLog }),
        limits: { ...limits, flushIntervalMs: 20, retryBackoffMs: 5, retryMaxBackoffMs: 20 },
        log: silentLog,
      });
      return {
        append: (...documents: string[]) => outbox.append(documents, Date.now()),
        delivery,
        count: async () => Number(await sql(`SELECT count() FROM ${table}`)),
        letters: () =>
          readFileSync(deadLettersPath(dir, "clickhouse"), "utf8")
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line) as { event: string; reason: string }),
        async [Symbol.asyncDispose]() {
          await delivery.stop(0);
          rmSync(dir, { recursive: true });
        },
      };
    }

    for (const [column, code] of [
      ["p UInt16 MATERIALIZED toUInt16(visitParamExtractString(event, 'port'))", 32],
      ["p UInt8 MATERIALIZED throwIf(visitParamExtractString(event, 'port') = '')", 395],
      ["p UInt16 MATERIALIZED intDiv(100, length(visitParamExtractString(event, 'port')))", 153],
      ["p Enum8('22' = 1, '23' = 2) MATERIALIZED visitParamExtractString(event, 'port')", 49],
      ["p DateTime MATERIALIZED toDateTime(visitParamExtractString(event, 'at'))", 41],
    ] as const)
      test(`exception ${code}: the bad row is a dead letter with the reason, the others are delivered`, async () => {
        await using own = await deliveryTo(column);
        const good = (port: number) => `{"port":"${port}","at":"2026-11-25 04:00:00"}`;
        own.append(good(22), '{"nothing":1}', good(23));
        await until("each event is delivered or dead", () => {
          const { deliveredEvents, deadEvents } = own.delivery.counts;
          return deliveredEvents + deadEvents === 3;
        });
        expect(own.letters()).toMatchObject([
          { event: '{"nothing":1}', reason: expect.stringContaining(`exception ${code}: Code: ${code}`) },
        ]);
        expect(await own.count()).toBe(2);
        expect(own.delivery.problem).toBeUndefined();
      });

    test("a column that accepts no row blocks delivery and makes no dead letter, until it is fixed", async () => {
      await using own = await deliveryTo("p UInt8 MATERIALIZED throwIf(event != '')");
      own.append('{"a":1}', '{"a":2}', '{"a":3}');
      await until("it is blocked", () => own.delivery.state.state === "holding");
      expect(own.delivery.problem).toContain("exception 395");
      expect(own.delivery.counts).toMatchObject({ deliveredEvents: 0, deadEvents: 0 });
      await sql(`ALTER TABLE own_${tables} DROP COLUMN p`);
      await until("all are delivered", () => own.delivery.counts.deliveredEvents === 3);
      expect(await own.count()).toBe(3);
      expect(own.delivery.problem).toBeUndefined();
    });
  },
);
