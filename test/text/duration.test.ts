import { expect, test } from "bun:test";
import { formatDuration } from "../../server/text/duration.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

for (const [ms, text] of [
  [-5, "0 s"],
  [-1, "0 s"],
  [0, "0 s"],
  [0.4, "0 ms"],
  [1, "1 ms"],
  [240, "240 ms"],
  [999.4, "999 ms"],
  [999.5, "1 s"],
  [1249, "1.2 s"],
  [1250, "1.3 s"],
  [2500, "2.5 s"],
  [9900, "9.9 s"],
  [9949, "9.9 s"],
  [9950, "10 s"],
  [9960, "10 s"],
  [90 * second, "90 s"],
  [119 * second, "119 s"],
  [119.4 * second, "119 s"],
  [119.5 * second, "2 min"],
  [120 * second, "2 min"],
  [14 * minute, "14 min"],
  [119 * minute, "119 min"],
  [119.4 * minute, "119 min"],
  [119.5 * minute, "2 h"],
  [2 * hour, "2 h"],
  [47 * hour, "47 h"],
  [47.4 * hour, "47 h"],
  [47.5 * hour, "2 d"],
  [49 * hour, "2 d"],
  [5 * 24 * hour, "5 d"],
] as const)
  test(`${ms} ms is ${text}`, () => {
    expect(formatDuration(ms)).toBe(text);
  });
