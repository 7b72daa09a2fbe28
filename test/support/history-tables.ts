import { payloadOf } from "../../server/event/payload.ts";
import { encodeRows } from "../../server/outputs/clickhouse/encode.ts";
import { createClickhouseHistory } from "../../server/outputs/clickhouse/history/clickhouse-history.ts";
import { modernTable } from "../../server/outputs/clickhouse/schema.ts";
import { eventsOf } from "../outputs/clickhouse/deliveries.ts";
import { examinedEvent } from "./exhaustive-history.ts";
import { silentLog } from "./log.ts";

/** Runs a statement. @returns the answer's text */
export async function runSql(url: string, statement: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const response = await fetch(url, { method: "POST", body: statement });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

export function historyOf(url: string, table: string, log = silentLog) {
  return createClickhouseHistory({
    url,
    database: "default",
    table,
    user: undefined,
    password: undefined,
    log,
  });
}

/** Creates the table of `loom schema clickhouse`, and inserts the documents as Loom does. */
export async function createModernTable(
  url: string,
  table: string,
  documents: readonly string[],
): Promise<void> {
  await runSql(url, modernTable({ database: "default", table }));
  await insertEvents(url, table, documents);
}

export async function insertEvents(url: string, table: string, documents: readonly string[]): Promise<void> {
  const rows = encodeRows(eventsOf(documents));
  const insert = Buffer.concat([
    Buffer.from(`INSERT INTO default.${table} (event) FORMAT JSONEachRow\n`),
    rows,
  ]);
  await runSql(url, new Uint8Array(insert));
}

/**
 * Creates a table with the same columns for 18.16, which has no functions for nested JSON, no DateTime64 and no IPv6, and
 * inserts the documents with values that Loom has read from them.
 */
export async function createPlainTable(
  url: string,
  table: string,
  documents: readonly string[],
): Promise<void> {
  const texts = ["country", "path", "user_agent", "ja4", "ja4h", "hassh", "community_id"] as const;
  await runSql(
    url,
    `CREATE TABLE ${table} (event String, timestamp DateTime, sensor String, source_ip FixedString(16), asn UInt32,
      destination_port UInt16, tags Array(String), payload String, ${texts.map((name) => `${name} String`).join(", ")})
      ENGINE = MergeTree ORDER BY (toStartOfHour(timestamp), sensor, timestamp)`,
  );
  const names = [
    "event",
    "timestamp",
    "sensor",
    "source_ip",
    "asn",
    "destination_port",
    "tags",
    "payload",
    ...texts,
  ];
  const rows = documents.map((document) => {
    const { time, values } = examinedEvent(document);
    const tags = String(values.tags ?? "")
      .split("\n")
      .filter((tag) => tag !== "");
    return [
      hexText(Buffer.from(document)),
      `toDateTime(${Math.floor(time / 1000)})`,
      hexText(Buffer.from(String(values.sensor))),
      `toFixedString(${hexText(Buffer.from(String(values.ip ?? "\0".repeat(16)), "latin1"))}, 16)`,
      values.asn ?? 0,
      values.port ?? 0,
      tags.length === 0
        ? "emptyArrayString()"
        : `[${tags.map((tag) => hexText(Buffer.from(tag))).join(", ")}]`,
      hexText(payloadOf(JSON.parse(document)) ?? new Uint8Array()),
      ...texts.map((name) => hexText(Buffer.from(String(values[name] ?? "")))),
    ].join(", ");
  });
  for (let at = 0; at < rows.length; at += 200)
    await runSql(
      url,
      `INSERT INTO ${table} (${names.join(", ")}) SELECT ${rows.slice(at, at + 200).join(" UNION ALL SELECT ")}`,
    );
}

function hexText(bytes: Uint8Array): string {
  return bytes.length === 0 ? "''" : `unhex('${Buffer.from(bytes).toString("hex")}')`;
}
