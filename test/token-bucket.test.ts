import { describe, expect, test } from "bun:test";
import { TokenBucket } from "../server/token-bucket.ts";

/** A bucket of 10 tokens per second, and its clock. */
function bucketOfTen() {
  const clock = { nowMs: 5000 };
  return { clock, bucket: new TokenBucket(10, () => clock.nowMs) };
}

/** How many single tokens can be taken in a row. */
function takenInARow(bucket: TokenBucket): number {
  let taken = 0;
  while (taken < 1000 && bucket.tryTake()) taken++;
  return taken;
}

test("a new bucket holds the tokens of one second", () => {
  expect(takenInARow(bucketOfTen().bucket)).toBe(10);
});

test("an empty bucket earns its rate", () => {
  const { clock, bucket } = bucketOfTen();
  bucket.charge(10);
  clock.nowMs += 300;
  expect(bucket.tokens()).toBeCloseTo(3);
  clock.nowMs += 100;
  expect(takenInARow(bucket)).toBe(4);
});

test("a bucket never holds more than the tokens of one second", () => {
  const { clock, bucket } = bucketOfTen();
  clock.nowMs += 60_000;
  expect(bucket.tokens()).toBe(10);
  expect(takenInARow(bucket)).toBe(10);
});

test("a part of a token cannot be taken, and is not lost", () => {
  const { clock, bucket } = bucketOfTen();
  bucket.charge(10);
  clock.nowMs += 99;
  expect(bucket.tryTake()).toBe(false);
  clock.nowMs += 1;
  expect(bucket.tryTake()).toBe(true);
  expect(bucket.tokens()).toBeCloseTo(0);
});

describe("an overdrawn bucket", () => {
  test("says how long it takes to hold the tokens", () => {
    const { bucket } = bucketOfTen();
    expect(bucket.secondsUntil(10)).toBe(0);
    bucket.charge(40);
    expect(bucket.tokens()).toBe(-30);
    expect(bucket.secondsUntil(0)).toBe(3);
    expect(bucket.secondsUntil(1)).toBeCloseTo(3.1);
  });

  test("gives nothing out until it is paid back", () => {
    const { clock, bucket } = bucketOfTen();
    bucket.charge(40);
    clock.nowMs += 3000;
    expect(bucket.tryTake()).toBe(false);
    expect(bucket.secondsUntil(0)).toBe(0);
    clock.nowMs += 100;
    expect(bucket.tryTake()).toBe(true);
  });
});

test("a share bounds what the bucket earns since the last call", () => {
  const { clock, bucket } = bucketOfTen();
  bucket.charge(10);
  clock.nowMs += 1000;
  expect(bucket.tokens(0.25)).toBe(2.5);
  expect(bucket.tokens()).toBe(2.5);
});
