import { expect, test } from "bun:test";
import { formatRefused, formatRefusedEvents } from "../../../ui/format/refused.ts";

test("refused requests have their events, marked if some of them were estimated", () => {
  expect(formatRefused({ requests: 24, events: 1200, isEstimate: true })).toBe(
    "≈ 1,200 events in 24 requests",
  );
  expect(formatRefused({ requests: 1, events: 1, isEstimate: false })).toBe("1 event in 1 request");
});

test("refused requests without known events are only requests", () => {
  expect(formatRefused({ requests: 3, events: 0, isEstimate: false })).toBe("3 requests");
});

test("a column has the events alone, and 0 without a mark", () => {
  expect(formatRefusedEvents({ events: 1_234_567, isEstimate: true })).toBe("≈ 1.2M");
  expect(formatRefusedEvents({ events: 0, isEstimate: true })).toBe("0");
});
