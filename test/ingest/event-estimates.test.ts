import { describe, expect, test } from "bun:test";
import { createEventEstimates } from "../../server/ingest/event-estimates.ts";

describe("the events of a body that was not counted are estimated", () => {
  test("from its length and the mean size of the sensor's events", () => {
    const estimates = createEventEstimates();
    estimates.note("vps-1", 10_000, 20);
    estimates.note("vps-2", 9_000_000, 100);
    expect(estimates.estimate("vps-1", 5_000)).toEqual({ count: 10, isEstimate: true });
  });

  test("from the size of all events if no batch of the sensor was kept", () => {
    const estimates = createEventEstimates();
    estimates.note("vps-2", 10_000, 20);
    expect(estimates.estimate("vps-1", 5_000).count).toBe(10);
  });

  test("as events of 1,000 bytes before any batch is kept", () => {
    expect(createEventEstimates().estimate("vps-1", 50_000).count).toBe(50);
  });

  test("as a usual batch of the sensor if the length is not known", () => {
    const estimates = createEventEstimates();
    estimates.note("vps-1", 10_000, 20);
    estimates.note("vps-1", 20_000, 40);
    expect(estimates.estimate("vps-1", undefined)).toEqual({ count: 30, isEstimate: true });
  });

  test("as at least one", () => {
    expect(createEventEstimates().estimate("vps-1", 3).count).toBe(1);
  });

  test("as none, exactly, in an empty array", () => {
    expect(createEventEstimates().estimate("vps-1", 2)).toEqual({ count: 0, isEstimate: false });
  });

  test("as 100,000 at most, whatever length a client declares", () => {
    expect(createEventEstimates().estimate("vps-1", Number.MAX_SAFE_INTEGER).count).toBe(100_000);
  });

  test("by the newer batches if the events of a sensor become larger", () => {
    const estimates = createEventEstimates();
    for (let i = 0; i < 1_000; i++) estimates.note("vps-1", 50_000, 50);
    for (let i = 0; i < 5_000; i++) estimates.note("vps-1", 500_000, 50);
    expect(estimates.estimate("vps-1", 1_000_000).count).toBe(100);
  });
});
