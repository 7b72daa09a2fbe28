import { describe, expect, test } from "bun:test";
import {
  deliveredLine,
  isSequence,
  parseDeadLetterLine,
  recordLine,
} from "../../../server/outputs/dead-letters/record.ts";
import { storedEvent } from "../../support/memory-outbox.ts";

const record = {
  event: storedEvent(12, '{"a":"\\u001b","ä":18446744073709551615}', Date.UTC(2026, 4, 1, 11, 59, 58)),
  reason: "400 bad\n\u001b[31m",
  output: "clickhouse",
  time: Date.UTC(2026, 4, 1, 12),
};
const fields = {
  time: "2026-05-01T12:00:00.000Z",
  output: "clickhouse",
  reason: "bad",
  sensor_id: "vps-1",
  sequence: 12,
  received_at: "2026-05-01T11:59:58.000Z",
  event: '{"a":1}',
};

const parse = (value: unknown) => parseDeadLetterLine(Buffer.from(JSON.stringify(value)));
const withoutLineBreak = (line: Buffer) => line.subarray(0, -1);

test("the line of a record has the documented format", () => {
  expect(String(recordLine({ ...record, event: storedEvent(12, '{"a":1}'), reason: "bad" }))).toBe(
    '{"time":"2026-05-01T12:00:00.000Z","output":"clickhouse","reason":"bad","sensor_id":"vps-1","sequence":12,' +
      '"received_at":"1970-01-01T00:00:00.000Z","event":"{\\"a\\":1}"}\n',
  );
});

test("the line of delivered events has the documented format", () => {
  expect(String(deliveredLine([12, 13], record.time))).toBe(
    '{"time":"2026-05-01T12:00:00.000Z","delivered":[12,13]}\n',
  );
});

test("a record is parsed as it was written", () => {
  const line = recordLine(record);
  expect(line.indexOf("\n")).toBe(line.length - 1);
  expect(parseDeadLetterLine(withoutLineBreak(line))).toEqual({ kind: "record", record });
});

test("delivered events are parsed as they were written", () => {
  expect(parseDeadLetterLine(withoutLineBreak(deliveredLine([12, 0], 0)))).toEqual({
    kind: "delivered",
    sequences: [12, 0],
  });
});

describe("a line is damaged", () => {
  test.each(["", "{", "null", "12", "[]", '"x"', "{}"])("if it is %p", (text) => {
    expect(parseDeadLetterLine(Buffer.from(text))).toBeUndefined();
  });

  test.each(Object.keys(fields))("if its %s is missing or has another type", (name) => {
    expect(parse({ ...fields, [name]: undefined })).toBeUndefined();
    expect(parse({ ...fields, [name]: null })).toBeUndefined();
    expect(parse({ ...fields, [name]: ["x"] })).toBeUndefined();
  });

  test.each(["time", "received_at"])("if its %s is not a time", (name) => {
    expect(parse({ ...fields, [name]: "yesterday" })).toBeUndefined();
  });

  test.each([-1, 1.5, 2 ** 53, "12"])("if its sequence number is %p", (sequence) => {
    expect(parse({ ...fields, sequence })).toBeUndefined();
  });

  test("if its event has a line break", () => {
    expect(parse({ ...fields, event: '{"a":\n1}' })).toBeUndefined();
  });

  test.each([[[12, "13"]], [[-1]], ["12"], [12]])("if the delivered events are %p", (delivered) => {
    expect(parse({ time: fields.time, delivered })).toBeUndefined();
  });
});

test("sequence numbers are the safe integers from 0", () => {
  expect([0, 1, Number.MAX_SAFE_INTEGER].map(isSequence)).toEqual([true, true, true]);
  expect([-1, 0.5, Number.NaN, 2 ** 53, "1", null, undefined].map(isSequence)).toEqual(Array(7).fill(false));
});
