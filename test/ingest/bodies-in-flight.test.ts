import { describe, expect, test } from "bun:test";
import { createBodiesInFlight } from "../../server/ingest/bodies-in-flight.ts";

describe("bodies in memory", () => {
  test("of one sensor are bounded, up to and including the bound", () => {
    const bodies = createBodiesInFlight(1000, 100);
    expect(bodies.reserve("a", 60)).toBe(true);
    expect(bodies.reserve("a", 41)).toBe(false);
    expect(bodies.reserve("a", 40)).toBe(true);
    expect(bodies.reserve("a", 1)).toBe(false);
  });

  test("of all sensors are bounded, up to and including the bound", () => {
    const bodies = createBodiesInFlight(100, 90);
    expect(bodies.reserve("a", 50)).toBe(true);
    expect(bodies.reserve("b", 10)).toBe(true);
    expect(bodies.reserve("b", 41)).toBe(false);
    expect(bodies.reserve("b", 40)).toBe(true);
  });

  test("of one sensor do not count for another one", () => {
    const bodies = createBodiesInFlight(1000, 100);
    expect(bodies.reserve("a", 100)).toBe(true);
    expect(bodies.reserve("b", 100)).toBe(true);
  });
});

test("120 sensors with a body of 2 MiB each take at most 128 MiB", () => {
  const mebibyte = 1024 * 1024;
  const bodies = createBodiesInFlight(128 * mebibyte, 64 * mebibyte);
  const reserved = Array.from({ length: 120 }, (_, i) => bodies.reserve(`vps-${i}`, 2 * mebibyte));
  expect(reserved.filter(Boolean)).toHaveLength(64);
});

describe("a body that is the only one always fits", () => {
  test("even if it is larger than the bound per sensor", () => {
    const bodies = createBodiesInFlight(1000, 10);
    expect(bodies.reserve("a", 500)).toBe(true);
    expect(bodies.reserve("a", 1)).toBe(false);
  });

  test("even if it is larger than the bound of all", () => {
    expect(createBodiesInFlight(10, 10).reserve("a", 500)).toBe(true);
  });

  test("but not beside the body of another sensor", () => {
    const bodies = createBodiesInFlight(100, 100);
    expect(bodies.reserve("a", 1)).toBe(true);
    expect(bodies.reserve("b", 100)).toBe(false);
    bodies.release("a", 1);
    expect(bodies.reserve("b", 500)).toBe(true);
  });
});

describe("a released body", () => {
  test("makes room for the next one of its sensor", () => {
    const bodies = createBodiesInFlight(1000, 100);
    bodies.reserve("a", 60);
    bodies.reserve("a", 40);
    bodies.release("a", 60);
    expect(bodies.reserve("a", 61)).toBe(false);
    expect(bodies.reserve("a", 60)).toBe(true);
  });

  test("makes room for those of other sensors", () => {
    const bodies = createBodiesInFlight(100, 100);
    bodies.reserve("a", 90);
    bodies.reserve("b", 10);
    expect(bodies.reserve("b", 10)).toBe(false);
    bodies.release("a", 90);
    expect(bodies.reserve("b", 90)).toBe(true);
  });

  test("that was the only one of its sensor leaves room for one of any size", () => {
    const bodies = createBodiesInFlight(1000, 100);
    bodies.reserve("a", 60);
    bodies.release("a", 60);
    expect(bodies.reserve("a", 500)).toBe(true);
  });
});
