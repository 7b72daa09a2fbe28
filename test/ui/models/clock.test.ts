import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { signal } from "@preact/signals";
import { ClockModel } from "../../../ui/models/clock.ts";

beforeEach(() => void jest.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void jest.useRealTimers());

function clockUnderTest() {
  const isHidden = signal(false);
  const serverAheadMs = signal(0);
  return { isHidden, serverAheadMs, clock: new ClockModel(isHidden, serverAheadMs) };
}

describe("the clock", () => {
  test("moves once a second", () => {
    const { clock } = clockUnderTest();
    jest.advanceTimersByTime(999);
    expect(clock.localNow.value).toBe(1_000_000);
    jest.advanceTimersByTime(1);
    expect(clock.localNow.value).toBe(1_001_000);
  });

  test("gives Loom's time by the difference between the clocks", () => {
    const { clock, serverAheadMs } = clockUnderTest();
    serverAheadMs.value = 5_000;
    expect([clock.localNow.value, clock.serverNow.value]).toEqual([1_000_000, 1_005_000]);
  });

  test("stands still while the page is hidden, and is right as soon as it is visible", () => {
    const { clock, isHidden } = clockUnderTest();
    isHidden.value = true;
    jest.advanceTimersByTime(60_500);
    expect(clock.localNow.value).toBe(1_000_000);
    isHidden.value = false;
    expect(clock.localNow.value).toBe(1_060_500);
  });

  test("stops when it is disposed", () => {
    const { clock, isHidden } = clockUnderTest();
    clock[Symbol.dispose]();
    jest.advanceTimersByTime(60_000);
    isHidden.value = true;
    isHidden.value = false;
    expect(clock.localNow.value).toBe(1_000_000);
  });
});
