import { expect, test } from "bun:test";
import { giveBackLineBuffer, takeLineBuffer } from "../server/line-buffers.ts";

const length = 100_000;

test("memory that was given back is used again", () => {
  const first = takeLineBuffer(length);
  giveBackLineBuffer(first.subarray(1, 10));
  expect(takeLineBuffer(length).buffer).toBe(first.buffer);
});

test("memory that was not given back is not handed out twice", () => {
  expect(takeLineBuffer(length).buffer).not.toBe(takeLineBuffer(length).buffer);
});

test("memory given back twice is handed out once", () => {
  const first = takeLineBuffer(length);
  giveBackLineBuffer(first);
  giveBackLineBuffer(first);
  expect(takeLineBuffer(length).buffer).toBe(first.buffer);
  expect(takeLineBuffer(length).buffer).not.toBe(first.buffer);
});

test("bytes that were not taken are ignored", () => {
  const foreign = Buffer.allocUnsafeSlow(300_000);
  giveBackLineBuffer(foreign);
  expect(takeLineBuffer(300_000).buffer).not.toBe(foreign.buffer);
});
