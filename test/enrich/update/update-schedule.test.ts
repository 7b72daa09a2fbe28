import { describe, expect, test } from "bun:test";
import {
  waitAfterFailureMs,
  waitAfterSuccessMs,
  waitAtStartMs,
} from "../../../server/enrich/update/update-schedule.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const earliest = { intervalMs: day, random: () => 0 };
const latest = { intervalMs: day, random: () => 1 };

test("after a success the next check is after the interval, or up to a tenth later", () => {
  expect([waitAfterSuccessMs(earliest), waitAfterSuccessMs(latest)]).toEqual([day, 1.1 * day]);
});

describe("after a failure", () => {
  test("the wait is a minute, and doubles with each further failure up to the interval", () => {
    const waits = [1, 2, 3, 10, 11, 12, 2000].map((failures) =>
      waitAfterFailureMs(failures, undefined, latest),
    );
    expect(waits).toEqual([minute, 2 * minute, 4 * minute, 512 * minute, 1024 * minute, day, day]);
  });

  test("half of the wait is random", () => {
    expect(waitAfterFailureMs(3, undefined, earliest)).toBe(2 * minute);
  });

  test("a server that asks for more time gets it, up to a day", () => {
    expect(waitAfterFailureMs(1, hour, latest)).toBe(hour);
    expect(waitAfterFailureMs(1, 100 * day, latest)).toBe(day);
  });

  test("a server that asks for less time does not get less", () => {
    expect(waitAfterFailureMs(1, 1, latest)).toBe(minute);
  });
});

describe("at the start", () => {
  test("a database that is missing is downloaded at once", () => {
    expect(waitAtStartMs(false, undefined, latest)).toBe(0);
  });

  test("the rest of the interval passes first, so that restarts cause no requests", () => {
    expect(waitAtStartMs(true, 10 * hour, earliest)).toBe(14 * hour);
  });

  test.each([
    ["is unknown", undefined],
    ["was long ago", 30 * day],
  ])("a check whose last success %s is made within a minute", (_, checkedAgoMs) => {
    expect(waitAtStartMs(true, checkedAgoMs, earliest)).toBe(0);
    expect(waitAtStartMs(true, checkedAgoMs, latest)).toBe(minute);
  });

  test("a success in the future does not postpone the check beyond the interval", () => {
    expect(waitAtStartMs(true, -365 * day, earliest)).toBe(day);
  });
});
