import { describe, expect, test } from "bun:test";
import { outputWords } from "../../../server/management/api/output-words.ts";
import type { OutputReport } from "../../../server/outputs/output-report.ts";

const now = 1_700_000_000_000;
const second = 1000;
const minute = 60 * second;

const idle: OutputReport = {
  output: "clickhouse",
  keptEvents: 0,
  deliveredEvents: 0,
  deadEvents: 0,
  droppedEvents: 0,
  damagedEvents: 0,
  waitingEvents: 0,
  waitingBytes: 0,
  oldestReceivedAt: undefined,
  leavesAt: undefined,
  retries: 0,
  deadLetters: 0,
  state: "idle",
  since: now,
  reason: undefined,
  failures: 0,
  nextTryAt: undefined,
  lastError: undefined,
  lastDeliveredAt: undefined,
};

const words = (report: Partial<OutputReport>) => outputWords({ ...idle, ...report }, now);
const retrying = {
  state: "retrying",
  since: now - 14 * minute,
  waitingEvents: 5,
  reason: "HTTP 503",
} as const;

test.each([
  [{}, "idle: no events are pending"],
  [{ state: "delivering", waitingEvents: 7 }, "delivering"],
  [{ waitingEvents: 1 }, "collecting a batch: 1 event"],
  [
    { waitingEvents: 1200, leavesAt: now + 7.2 * second },
    "collecting a batch: 1,200 events, sent within 8 s",
  ],
  [{ waitingEvents: 2, leavesAt: now - 50 }, "collecting a batch: 2 events, sent within 1 s"],
  [{ ...retrying, nextTryAt: now + 12 * second }, "failing for 14 min: HTTP 503; next attempt in 12 s"],
  [retrying, "failing for 14 min: HTTP 503; attempt in progress"],
  [{ ...retrying, nextTryAt: now - 1 }, "failing for 14 min: HTTP 503; attempt in progress"],
  [
    { ...retrying, state: "holding", reason: "wrong password", nextTryAt: now + 30 * second },
    "blocked for 14 min: wrong password; next attempt in 30 s",
  ],
  [
    { state: "holding", since: now - 12 * second, reason: "cannot write to stdout: ENOSPC" },
    "blocked for 12 s: cannot write to stdout: no space left on the disk",
  ],
  [
    { ...retrying, reason: "no answer: ECONNREFUSED" },
    "failing for 14 min: no answer: connection refused; attempt in progress",
  ],
  [
    { ...retrying, reason: "EVERY code EXISTS" },
    "failing for 14 min: EVERY code EXISTS; attempt in progress",
  ],
] satisfies [Partial<OutputReport>, string][])("%p is %p", (report, expected) => {
  expect(words(report)).toBe(expected);
});

test.each([
  [0, "1 s"],
  [59 * second, "59 s"],
  [60 * minute - 1, "60 min"],
  [47 * 60 * minute, "47 h"],
  [75 * 60 * minute, "3 d"],
])("%p ms are %p", (ms, expected) => {
  expect(words({ ...retrying, since: now - ms })).toStartWith(`failing for ${expected}: `);
});

describe("a hostile reason", () => {
  test("cannot break the line of the sentence or reorder it", () => {
    const reason = "bad\u202e\r\n\u001b[31m\u0000<script>";
    expect(words({ ...retrying, reason })).toBe(
      "failing for 14 min: bad\\u202e\\u000d\\u000a\\u001b[31m\\u0000<script>; attempt in progress",
    );
  });

  test("of 100 KB is truncated", () => {
    const sentence = words({ ...retrying, reason: "x".repeat(100_000) });
    expect(sentence).toBe(`failing for 14 min: ${"x".repeat(300)}…; attempt in progress`);
  });
});
