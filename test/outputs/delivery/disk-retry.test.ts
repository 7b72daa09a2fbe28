import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { DiskRetry } from "../../../server/outputs/delivery/disk-retry.ts";
import type { Failure } from "../../../server/outputs/delivery/health.ts";
import { createManualClock } from "../../support/manual-clock.ts";

function retryWith() {
  const clock = createManualClock();
  const stopping = new AbortController();
  const failures: Failure[] = [];
  let recoveries = 0;
  const reserve = { isThere: false };
  const disk = new DiskRetry({
    limits: { retryBackoffMs: 100, retryMaxBackoffMs: 800 },
    clock,
    health: { failed: (failure) => void failures.push(failure), succeeded: () => void recoveries++ },
    stopping: stopping.signal,
    async releaseReserve() {
      const wasThere = reserve.isThere;
      reserve.isThere = false;
      return wasThere;
    },
  });
  return { reserve, clock, stopping, failures, disk, recoveries: () => recoveries };
}

test("an action that succeeds at once neither waits nor reports a recovery", async () => {
  const { disk, clock, recoveries } = retryWith();
  expect(await disk.until("read the outbox", async () => 7)).toBe(7);
  expect(clock.sleptMs).toEqual([]);
  expect(recoveries()).toBe(0);
});

test("an action that fails is repeated with growing pauses until it succeeds, and reported as blocked", async () => {
  const { disk, clock, failures, recoveries } = retryWith();
  clock.chance = 0.999_999;
  let attempts = 0;
  const result = disk.until("store dead letters", async () => {
    attempts++;
    if (attempts < 4) throw new Error("ENOSPC: no space left");
    return "stored";
  });
  for (let pause = 0; pause < 3; pause++) await clock.toNextWaking();
  expect(await result).toBe("stored");
  expect(clock.sleptMs).toEqual([200, 400, 800]);
  expect(failures[0]).toEqual({
    action: "store dead letters",
    reason: "ENOSPC: no space left",
    errorClass: "disk",
    isBlocked: true,
    waitMs: 200,
  });
  expect(recoveries()).toBe(1);
});

test("an action that fails while stopping is not repeated", async () => {
  const { disk, stopping, failures } = retryWith();
  stopping.abort();
  expect(await disk.until("read the outbox", () => Promise.reject(new Error("EIO")))).toBeUndefined();
  expect(failures).toEqual([]);
});

test("on a full disk the reserve is used at once, and the action is repeated without a pause", async () => {
  const { disk, clock, failures, reserve } = retryWith();
  reserve.isThere = true;
  const noSpace = Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
  let attempts = 0;
  const result = disk.until("acknowledge a batch in the outbox", async () => {
    if (++attempts < 3) throw new Error("outbox: cannot write the cursor", { cause: noSpace });
    return "acknowledged";
  });
  await clock.toNextWaking();
  expect(await result).toBe("acknowledged");
  expect(failures).toHaveLength(1);
});

test("the reserve is not used for another failure of the disk", async () => {
  const { disk, clock, reserve } = retryWith();
  reserve.isThere = true;
  let attempts = 0;
  const result = disk.until("read the outbox", async () => {
    if (++attempts < 2) throw Object.assign(new Error("EIO"), { code: "EIO" });
  });
  await clock.toNextWaking();
  await result;
  expect(reserve.isThere).toBe(true);
});

describe("a disk that does not respond", () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test("counts as a failure after 5 s, until the action ends", async () => {
    const { disk, failures, recoveries } = retryWith();
    const { promise, resolve } = Promise.withResolvers<string>();
    const result = disk.until("acknowledge a batch in the outbox", () => promise);
    jest.advanceTimersByTime(4_999);
    expect(failures).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(failures).toEqual([
      {
        action: "acknowledge a batch in the outbox",
        reason: "the disk has not responded for 5 s",
        errorClass: "disk",
        isBlocked: true,
        waitMs: 0,
      },
    ]);
    expect(recoveries()).toBe(0);
    resolve("acknowledged");
    expect(await result).toBe("acknowledged");
    expect(recoveries()).toBe(1);
  });

  test("is not reported after the action has ended", async () => {
    const { disk, failures } = retryWith();
    await disk.until("read the outbox", async () => {});
    jest.advanceTimersByTime(60_000);
    expect(failures).toEqual([]);
  });
});
