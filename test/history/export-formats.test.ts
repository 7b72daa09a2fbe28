import { describe, expect, test } from "bun:test";
import { csvColumnNames, csvFormat, ndjsonFormat } from "../../server/history/export-formats.ts";
import type { HistoryEvent } from "../../server/history/history-reader.ts";

function event(document: string, id = "7"): HistoryEvent {
  return { id, receivedAt: Date.UTC(2026, 10, 22, 16, 24, 59, 5), sensorId: "vps-1", document };
}

test("NDJSON has the documents byte for byte", () => {
  const documents = ['{"n":18446744073709551615,"x":1.0}', '{"e":"\\u003c"}'];
  expect(ndjsonFormat.encode(documents.map((document) => event(document)))).toBe(`${documents.join("\n")}\n`);
});

describe("CSV", () => {
  test("has a header and the chosen columns in their order", () => {
    const format = csvFormat(["ip", "id", "received_at", "timestamp", "sensor", "port", "tags"]);
    const document =
      '{"@timestamp":"2026-11-22T16:00:00Z","source":{"ip":"2001:DB8:0::1"},"destination":{"port":22},"tags":["b","a"]}';
    expect(format.head).toBe("ip,id,received_at,timestamp,sensor,port,tags\r\n");
    expect(format.encode([event(document)])).toBe(
      "2001:db8::1,7,2026-11-22T16:24:59.005Z,2026-11-22T16:00:00.000Z,vps-1,22,a b\r\n",
    );
  });

  test("has empty cells where an event has no value, for every column", () => {
    const line = csvFormat(csvColumnNames).encode([event("{}")]);
    expect(line).toBe(`7,2026-11-22T16:24:59.005Z,,vps-1,${",".repeat(csvColumnNames.length - 6)},{}\r\n`);
  });

  test.each([
    ["a comma", "a,b", '"a,b"'],
    ["quotes", 'a"b', '"a""b"'],
    ["a line break", "a\nb", '"a\nb"'],
    ["a formula", "=1+1", "'=1+1"],
    ["another formula", "@SUM(A1)", "'@SUM(A1)"],
    ["a formula with quotes", '+cmd|"x"', '"\'+cmd|""x"""'],
    ["a tab at the beginning", "\t=1", "'\t=1"],
  ])("keeps %s in its cell, as text", (_, path, cell) => {
    const document = JSON.stringify({ url: { path } });
    expect(csvFormat(["path", "port"]).encode([event(document)])).toBe(`${cell},\r\n`);
  });
});
