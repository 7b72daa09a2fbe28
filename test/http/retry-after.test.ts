import { expect, test } from "bun:test";
import { parseRetryAfter } from "../../server/http/retry-after.ts";

const now = Date.parse("2026-11-22T16:00:00Z");

test.each([
  ["7", 7000],
  ["999999999", 999_999_999_000],
  ["Sun, 22 Nov 2026 16:00:05 GMT", 5000],
])("%s is a wait of %d ms", (header, waitMs) => {
  expect(parseRetryAfter(header, now)).toBe(waitMs);
});

test.each(["Sun, 22 Nov 2026 15:00:00 GMT", "soon", "-1", "0", ""])('"%s" is not a wait', (header) => {
  expect(parseRetryAfter(header, now)).toBeUndefined();
});

test("an answer without the header has no wait", () => {
  expect(parseRetryAfter(null, now)).toBeUndefined();
});
