import { expect, test } from "bun:test";
import { pausesSentence } from "../../../ui/format/pauses.ts";

const at = Date.UTC(2026, 10, 23, 12);

test("without a restart there is no sentence", () => {
  expect(pausesSentence([])).toBe("");
});

test("one restart is told with its time and how long Loom did not run", () => {
  expect(pausesSentence([{ fromAt: at - 95_400, toAt: at }])).toMatch(
    /^Loom was restarted on 23 Nov 2026, \d\d:\d\d, after it had not run for 95 s\.$/,
  );
});

test("several restarts are told with the last one and the whole time", () => {
  const pauses = [
    { fromAt: at - 200_000, toAt: at - 190_000 },
    { fromAt: at - 5_000, toAt: at },
  ];
  expect(pausesSentence(pauses)).toMatch(
    /^Loom was restarted 2 times, the last time on 23 Nov 2026, \d\d:\d\d\. It did not run for 15 s in all\.$/,
  );
});

test("a restart within a second is not told as 0 s", () => {
  expect(pausesSentence([{ fromAt: at - 300, toAt: at }])).toContain("for less than a second");
});
