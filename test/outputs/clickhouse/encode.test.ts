import { expect, test } from "bun:test";
import { encodeRows } from "../../../server/outputs/clickhouse/encode.ts";
import { eventsOf } from "./deliveries.ts";

test("a row contains the document as a JSON string, byte for byte", () => {
  const documents = [
    '{"a":"quote \\" backslash \\\\ solidus \\/ \\u0000 \\ud800"}',
    '{"n":18446744073709551615,"x":1.0,"y":1e400,"emoji":"😀","del":"\u007f","separator":"\u2028"}',
    "{}",
  ];
  const lines = encodeRows(eventsOf(documents)).toString().split("\n");
  expect(lines.pop()).toBe("");
  expect(lines.map((line) => JSON.parse(line))).toEqual(documents.map((event) => ({ event })));
});

test("a document of quotes alone fits in the buffer", () => {
  const document = `{"a":"${'\\"'.repeat(50_000)}"}`;
  expect(JSON.parse(encodeRows(eventsOf([document])).toString())).toEqual({ event: document });
});
