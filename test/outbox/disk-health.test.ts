import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { DiskHealth } from "../../server/outbox/disk-health.ts";
import { recordingLog } from "../support/log.ts";

const noSpace = new Error("ENOSPC: no space left on device, write");
const probeIntervalMs = 1_000;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** The health of a disk, with the number of probes that were started. */
function healthWith(startProbe: (health: DiskHealth, probes: number) => boolean) {
  const log = recordingLog();
  let probes = 0;
  const health: DiskHealth = new DiskHealth({ log, startProbe: () => startProbe(health, ++probes) });
  return { health, log, probes: () => probes };
}

test("a failure is the problem until a write succeeds, and each change is logged once", () => {
  const { health, log } = healthWith(() => true);
  expect(health.failure).toBeUndefined();
  const reason = health.failed(noSpace);
  expect(health.failed(new Error("EIO: i/o error"))).toBe("outbox: EIO: i/o error");
  expect(health.failure).toBe("outbox: EIO: i/o error");
  health.recovered();
  health.recovered();
  expect(health.failure).toBeUndefined();
  expect(log.lines).toEqual([
    {
      level: "error",
      message: "cannot keep batches; they are refused until a write succeeds",
      fields: { reason },
    },
    { level: "info", message: "batches can be kept again", fields: {} },
  ]);
});

test("a failed disk is probed once a second until a probe succeeds", () => {
  const { health, probes } = healthWith((health, probes) => {
    if (probes < 3) health.failed(noSpace);
    else health.recovered();
    return true;
  });
  health.failed(noSpace);
  jest.advanceTimersByTime(probeIntervalMs - 1);
  expect(probes()).toBe(0);
  jest.advanceTimersByTime(1);
  expect(probes()).toBe(1);
  jest.advanceTimersByTime(10 * probeIntervalMs);
  expect(probes()).toBe(3);
});

test("a probe that could not start is tried again", () => {
  const { health, probes } = healthWith((health, probes) => {
    if (probes < 3) return false;
    health.recovered();
    return true;
  });
  health.failed(noSpace);
  jest.advanceTimersByTime(10 * probeIntervalMs);
  expect(probes()).toBe(3);
});

test("several failures in a row start one probe", () => {
  const { health, probes } = healthWith(() => true);
  for (let n = 0; n < 5; n++) health.failed(noSpace);
  jest.advanceTimersByTime(10 * probeIntervalMs);
  expect(probes()).toBe(1);
});

test("a disk that recovered is not probed, and is probed again after another failure", () => {
  const { health, probes } = healthWith(() => true);
  health.failed(noSpace);
  health.recovered();
  jest.advanceTimersByTime(10 * probeIntervalMs);
  expect(probes()).toBe(0);
  health.failed(noSpace);
  jest.advanceTimersByTime(probeIntervalMs);
  expect(probes()).toBe(1);
});

test("a closed disk is not probed, even if a write fails later", () => {
  const { health, probes } = healthWith(() => true);
  health.failed(noSpace);
  health.close();
  jest.advanceTimersByTime(probeIntervalMs);
  health.failed(noSpace);
  jest.advanceTimersByTime(probeIntervalMs);
  expect(probes()).toBe(0);
});
