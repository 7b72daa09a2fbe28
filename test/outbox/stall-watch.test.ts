import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { StallWatch } from "../../server/outbox/stall-watch.ts";
import { recordingLog } from "../support/log.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function startWatch() {
  const log = recordingLog();
  const stalls: string[] = [];
  const watch = new StallWatch({ log, onStalled: (reason) => void stalls.push(reason) });
  return { log, stalls, watch };
}

const reason = "outbox: the disk has not responded for 5 s";

test("a call that takes longer than 5 s is a problem until it ends, and each change is logged once", () => {
  const { watch, stalls, log } = startWatch();
  watch.begin();
  jest.advanceTimersByTime(5_000);
  expect(watch.problem).toBeUndefined();
  jest.advanceTimersByTime(500);
  expect(watch.problem).toBe(reason);
  jest.advanceTimersByTime(60_000);
  expect(stalls).toEqual([reason]);
  watch.end();
  expect(watch.problem).toBeUndefined();
  expect(log.lines).toEqual([
    {
      level: "error",
      message: "the disk does not respond; batches are refused until it does",
      fields: { reason },
    },
    { level: "info", message: "the disk responds again", fields: {} },
  ]);
});

test("many slow calls are not a stall", () => {
  const { watch, stalls } = startWatch();
  watch.begin();
  for (let call = 0; call < 20; call++) {
    jest.advanceTimersByTime(4_500);
    watch.progress();
  }
  expect(stalls).toEqual([]);
});

test("a disk of which nothing is asked does not stall", () => {
  const { watch, stalls } = startWatch();
  jest.advanceTimersByTime(60_000);
  watch.begin();
  watch.end();
  jest.advanceTimersByTime(60_000);
  expect(stalls).toEqual([]);
});

test("a disk that stalls again is reported again", () => {
  const { watch, stalls } = startWatch();
  watch.begin();
  jest.advanceTimersByTime(5_500);
  watch.progress();
  jest.advanceTimersByTime(5_500);
  expect(stalls).toEqual([reason, reason]);
});

test("a closed watch reports nothing", () => {
  const { watch, stalls } = startWatch();
  watch.begin();
  watch.close();
  jest.advanceTimersByTime(60_000);
  expect(stalls).toEqual([]);
});
