import { expect, jest, test } from "bun:test";
import { createRefusalLog } from "../../server/telemetry/refusal-log.ts";
import { recordingLog } from "../support/log.ts";

const bad = { reason: "unauthorized", sensorId: "unknown", client: "127.0.0.7", detail: undefined };

test("the first refusal of a kind is logged, and the following ones as one line per minute", () => {
  jest.useFakeTimers();
  const log = recordingLog();
  const refusals = createRefusalLog(log);
  for (let i = 0; i < 1000; i++) refusals.note(bad);
  refusals.note({ ...bad, sensorId: "vps-1" });
  expect(log.lines).toHaveLength(2);
  expect(log.lines[0]).toMatchObject({
    level: "warn",
    fields: { reason: "unauthorized", client: "127.0.0.7" },
  });

  jest.advanceTimersByTime(60_000);
  expect(log.lines).toHaveLength(3);
  expect(log.lines[2]?.fields).toEqual({ reason: "unauthorized", sensor: "unknown", count: 999 });

  jest.advanceTimersByTime(60_000);
  expect(log.lines).toHaveLength(3);
  refusals.note(bad);
  expect(log.lines).toHaveLength(4);
  refusals.stop();
  jest.useRealTimers();
});

test("nothing is summarized after the end", () => {
  jest.useFakeTimers();
  const log = recordingLog();
  const refusals = createRefusalLog(log);
  refusals.stop();
  for (let i = 0; i < 3; i++) refusals.note(bad);
  jest.advanceTimersByTime(120_000);
  expect(log.lines).toHaveLength(1);
  jest.useRealTimers();
});

test("counts that are not logged yet are logged at the end", () => {
  const log = recordingLog();
  const refusals = createRefusalLog(log);
  for (let i = 0; i < 3; i++) refusals.note(bad);
  refusals.stop();
  expect(log.lines.at(-1)?.fields).toMatchObject({ count: 2 });
});
