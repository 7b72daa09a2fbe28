import { describe, expect, test } from "bun:test";
import { LossWindow, type RefusedBatch } from "../../../server/monitoring/sensors/loss-window.ts";
import { lossWords } from "../../../server/monitoring/sensors/loss-words.ts";

const startAt = 5_000;
const overRate: RefusedBatch = {
  reason: "rate_limit_exceeded",
  detail: "over 20 requests/s",
  events: 10,
  isEstimate: true,
};
const tooLarge: RefusedBatch = {
  reason: "payload_too_large",
  detail: undefined,
  events: 100,
  isEstimate: true,
};
const full: RefusedBatch = { reason: "unavailable", detail: "outbox full", events: 10, isEstimate: false };

function wordsOf(kept: number, ...refused: readonly RefusedBatch[]): string {
  const window = new LossWindow();
  window.noteKept(kept, startAt);
  for (const batch of refused) window.noteRefused(batch, startAt);
  const loss = window.lossAt(startAt);
  return loss ? lossWords(loss) : "";
}

describe("the loss of a sensor", () => {
  test("is unknown if nothing was refused", () => {
    const window = new LossWindow();
    window.noteKept(10, startAt);
    expect(window.lossAt(startAt)).toBeUndefined();
  });

  test("is the refused part of its events, with both counts of requests", () => {
    const window = new LossWindow();
    for (let second = 0; second < 100; second++) {
      for (let i = 0; i < 4; i++) window.noteKept(10, startAt + second * 1000);
      for (let i = 0; i < 3; i++) window.noteRefused(overRate, startAt + second * 1000 + 500);
    }
    expect(window.lossAt(startAt + 100_000)).toEqual({
      keptRequests: 400,
      refusedRequests: 300,
      keptEvents: 4000,
      refusedEvents: 3000,
      isEstimate: true,
      share: 3 / 7,
      reason: "rate_limit_exceeded",
      detail: "over 20 requests/s",
      firstRefusedAgoMs: 99_500,
    });
  });

  test("lasts for five minutes after the last refusal, and for 10 s more at most", () => {
    const window = new LossWindow();
    window.noteRefused(overRate, startAt);
    expect(window.lossAt(startAt + 299_999)).toBeDefined();
    expect(window.lossAt(startAt + 310_000)).toBeUndefined();
  });

  test("forgets what was kept more than five minutes ago, also after a long silence", () => {
    const window = new LossWindow();
    for (let minute = 0; minute < 60; minute++) window.noteKept(1000, startAt + minute * 60_000);
    window.noteRefused(overRate, startAt + 24 * 3_600_000);
    expect(window.lossAt(startAt + 24 * 3_600_000)).toMatchObject({ keptEvents: 0, share: 1 });
  });

  test("has the reason of most of the events", () => {
    const window = new LossWindow();
    for (let i = 0; i < 9; i++) window.noteRefused(overRate, startAt + i * 10_000);
    window.noteRefused(tooLarge, startAt + 50_000);
    expect(window.lossAt(startAt + 100_000)?.reason).toBe("payload_too_large");
  });
});

describe("the loss of a sensor in words", () => {
  for (const [what, words, expected] of [
    ["is an estimate if a part was estimated", wordsOf(13, overRate), "≈ 43 % lost: over 20 requests/s"],
    ["is exact if all events were counted", wordsOf(30, full), "25 % lost: outbox full"],
    ["is never 0 %", wordsOf(100_000, full), "<1 % lost: outbox full"],
    [
      "is 100 % only if all events are lost",
      wordsOf(1, ...new Array(50).fill(full)),
      ">99 % lost: outbox full",
    ],
    [
      "is exactly 100 % then, although the number is an estimate",
      wordsOf(0, tooLarge),
      "100 % lost: its bodies are too large",
    ],
    ["shows a code that it does not know", wordsOf(10, { ...full, reason: "teapot" }), "50 % lost: teapot"],
  ] as const)
    test(what, () => {
      expect(words).toBe(expected);
    });
});
