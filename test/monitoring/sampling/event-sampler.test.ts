import { describe, expect, test } from "bun:test";
import { createTestTail, unlimited } from "../tail/tails.ts";

test("every kept event is numbered, and its line is what was kept", async () => {
  const { keep, settled, sampled, sampler } = createTestTail({ now: () => 77 });
  keep(['{"n":18446744073709551615,"n":1.0}', '{"b":"\\u0026 é"}'], "vps-1");
  keep([{ c: 1 }], "vps-2");
  await settled();
  expect(sampled.map(({ line, fields, ...rest }) => ({ ...rest, line: line.toString() }))).toEqual([
    {
      ...{ number: 1, ordinal: 1, receivedAt: 77, sensorId: "vps-1" },
      line: '{"n":18446744073709551615,"n":1.0}',
    },
    { number: 2, ordinal: 2, receivedAt: 77, sensorId: "vps-1", line: '{"b":"\\u0026 é"}' },
    { number: 3, ordinal: 3, receivedAt: 77, sensorId: "vps-2", line: '{"c":1}' },
  ]);
  expect(sampler.counts).toEqual({ kept: 3, sampled: 3 });
});

test("nothing is examined while the request waits for its answer", async () => {
  const { keep, settled, sampler } = createTestTail();
  keep([{ a: 1 }, { a: 2 }]);
  await Promise.resolve();
  expect(sampler.counts).toEqual({ kept: 2, sampled: 0 });
  expect(sampler.position).toEqual({ number: 0, ordinal: 0 });
  await settled();
  expect(sampler.position).toEqual({ number: 2, ordinal: 2 });
});

test("a batch's memory may be used again at once", async () => {
  const { sampler, settled, sampled } = createTestTail();
  const lines = Buffer.from('{"a":1}\n');
  sampler.observe({ sensorId: "vps-1", eventCount: 1, lines });
  lines.fill(0x20);
  await settled();
  expect(sampled[0]?.line.toString()).toBe('{"a":1}');
});

test("events beyond the budget are numbered and not sampled", async () => {
  const budget = { eventsPerSecond: 100, bytesPerSecond: 1e9 };
  const { keep, settled, sampled, sampler } = createTestTail({ budget, monotonic: () => 0 });
  keep(Array.from({ length: 400 }, (_, n) => ({ n: n + 1 })));
  keep([{ n: 401 }]);
  await settled();
  expect(sampler.counts).toEqual({ kept: 401, sampled: 100 });
  expect(sampler.position).toEqual({ number: 401, ordinal: 100 });
  expect(sampled.map(({ number }) => number)).toEqual(
    sampled.map(({ line }) => JSON.parse(line.toString()).n),
  );
});

test("an empty batch changes nothing", () => {
  const { keep, sampler } = createTestTail();
  keep([]);
  expect(sampler.counts).toEqual({ kept: 0, sampled: 0 });
});

test("the position is before the next pending event, after all events that are not sampled before it", async () => {
  const { keep, sampler, settled } = createTestTail({
    budget: { eventsPerSecond: 64, bytesPerSecond: 1e9 },
    monotonic: () => 0,
  });
  keep(Array.from({ length: 128 }, (_, n) => ({ n })));
  keep([{ last: true }]);
  // One of the first two events is sampled; which one decides the position.
  expect(sampler.position.number).toBeWithin(0, 2);
  await settled();
  expect(sampler.position).toEqual({ number: 129, ordinal: 64 });
});

test("pending lines are limited: if no time slices run, fewer events are sampled", () => {
  const never = { run: () => new Promise<void>(() => {}) };
  const { keep, sampler } = createTestTail({ timeSlices: never });
  const large = "x".repeat(400 * 1024);
  for (let batch = 0; batch < 30; batch++) keep(Array.from({ length: 10 }, () => ({ large })));
  expect(sampler.counts).toEqual({ kept: 300, sampled: 0 });
  sampler.flush();
  expect(sampler.counts.sampled).toBeWithin(40, 70);
  expect(sampler.position.number).toBe(300);
}, 60_000);

test("lines that were examined make room: a sampler that keeps up samples everything", () => {
  const { keep, sampler } = createTestTail();
  const large = "x".repeat(100 * 1024);
  // 40 MB together, more than may be pending at once.
  for (let batch = 0; batch < 40; batch++) {
    keep(Array.from({ length: 10 }, () => ({ large })));
    sampler.flush();
  }
  expect(sampler.counts).toEqual({ kept: 400, sampled: 400 });
});

test("flushing examines pending lines at once", () => {
  const { keep, sampler } = createTestTail();
  keep([{ a: 1 }, { a: 2 }]);
  sampler.flush();
  expect(sampler.counts).toEqual({ kept: 2, sampled: 2 });
});

test("events that are kept after a flush are sampled as well", async () => {
  const { keep, sampler, settled } = createTestTail();
  keep([{ a: 1 }]);
  sampler.flush();
  keep([{ a: 2 }]);
  await settled();
  expect(sampler.counts).toEqual({ kept: 2, sampled: 2 });
});

test("an error in onSampled stops nothing, and is reported once", async () => {
  const defects: unknown[] = [];
  const { keep, settled, recentEvents } = createTestTail({
    budget: unlimited,
    onSampled: () => {
      throw new Error("defect");
    },
    onDefect: (error) => void defects.push(error),
  });
  keep([{ a: 1 }, { a: 2 }, { a: 3 }]);
  await settled();
  expect(recentEvents.count).toBe(3);
  expect(defects.map(String)).toEqual(["Error: defect"]);
});

describe("a hostile document is sampled", () => {
  const hostile: readonly [string, string][] = [
    ["special keys", '{"__proto__":{"a":1},"constructor":null,"toString":"x","hasOwnProperty":1}'],
    ["arrays for objects", '{"source":[],"destination":[[]],"url":[{"path":"/"}],"tls":[{}]}'],
    ["numbers as strings", '{"destination":{"port":"22"},"source":{"as":{"number":"1"}}}'],
    ["a string of 128 KiB", `{"url":{"path":"${"a".repeat(131_072)}"}}`],
    ["64 levels", `${'{"source":'.repeat(64)}1${"}".repeat(64)}`],
    ["lone surrogates", '{"url":{"path":"\\ud800\\udc00\\udfff"}}'],
    ["control characters", '{"url":{"path":"\\u0000\\u001b[2J\\u202e"}}'],
    ["huge numbers", '{"destination":{"port":1e400},"source":{"geo":{"location":{"lat":-1e999,"lon":1}}}}'],
    ["text that is not JSON", "{]"],
  ];
  for (const [name, line] of hostile)
    test(`${name}: the event is sampled, and its line is unchanged`, async () => {
      const { keep, settled, sampled } = createTestTail();
      keep([line, "{}"]);
      await settled();
      expect(sampled.map((event) => event.line.toString())).toEqual([line, "{}"]);
    });
});
