import { describe, expect, test } from "bun:test";
import { createTestTail, unlimited } from "../tail/tails.ts";

test("every kept event is numbered, and its line is what was kept", async () => {
  const { keep, settled, examined, watcher } = createTestTail({ now: () => 77 });
  keep(['{"n":18446744073709551615,"n":1.0}', '{"b":"\\u0026 é"}'], "vps-1");
  keep([{ c: 1 }], "vps-2");
  await settled();
  expect(examined.map(({ line, fields, ...rest }) => ({ ...rest, line: line.toString() }))).toEqual([
    {
      ...{ number: 1, ordinal: 1, receivedAt: 77, sensorId: "vps-1" },
      line: '{"n":18446744073709551615,"n":1.0}',
    },
    { number: 2, ordinal: 2, receivedAt: 77, sensorId: "vps-1", line: '{"b":"\\u0026 é"}' },
    { number: 3, ordinal: 3, receivedAt: 77, sensorId: "vps-2", line: '{"c":1}' },
  ]);
  expect(watcher.counts).toEqual({ kept: 3, examined: 3 });
});

test("nothing is examined while the request waits for its answer", async () => {
  const { keep, settled, watcher } = createTestTail();
  keep([{ a: 1 }, { a: 2 }]);
  await Promise.resolve();
  expect(watcher.counts).toEqual({ kept: 2, examined: 0 });
  expect(watcher.position).toEqual({ number: 0, ordinal: 0 });
  await settled();
  expect(watcher.position).toEqual({ number: 2, ordinal: 2 });
});

test("a batch's memory may be used again at once", async () => {
  const { watcher, settled, examined } = createTestTail();
  const lines = Buffer.from('{"a":1}\n');
  watcher.watch({ sensorId: "vps-1", eventCount: 1, lines });
  lines.fill(0x20);
  await settled();
  expect(examined[0]?.line.toString()).toBe('{"a":1}');
});

test("what is beyond the budget is numbered and not examined", async () => {
  const budget = { eventsPerSecond: 100, bytesPerSecond: 1e9 };
  const { keep, settled, examined, watcher } = createTestTail({ budget, monotonic: () => 0 });
  keep(Array.from({ length: 400 }, (_, n) => ({ n: n + 1 })));
  keep([{ n: 401 }]);
  await settled();
  expect(watcher.counts).toEqual({ kept: 401, examined: 100 });
  expect(watcher.position).toEqual({ number: 401, ordinal: 100 });
  expect(examined.map(({ number }) => number)).toEqual(
    examined.map(({ line }) => JSON.parse(line.toString()).n),
  );
});

test("an empty batch changes nothing", () => {
  const { keep, watcher } = createTestTail();
  keep([]);
  expect(watcher.counts).toEqual({ kept: 0, examined: 0 });
});

test("the position is before the next event that waits, with all that were passed over before it", async () => {
  const { keep, watcher, settled } = createTestTail({
    budget: { eventsPerSecond: 64, bytesPerSecond: 1e9 },
    monotonic: () => 0,
  });
  keep(Array.from({ length: 128 }, (_, n) => ({ n })));
  keep([{ last: true }]);
  // Of the first two events one is taken, and both decide where the position is.
  expect(watcher.position.number).toBeWithin(0, 2);
  await settled();
  expect(watcher.position).toEqual({ number: 129, ordinal: 64 });
});

test("what waits is bounded: where turns do not come, fewer events are looked at", () => {
  const never = { run: () => new Promise<void>(() => {}) };
  const { keep, watcher } = createTestTail({ turns: never });
  const large = "x".repeat(400 * 1024);
  for (let batch = 0; batch < 30; batch++) keep(Array.from({ length: 10 }, () => ({ large })));
  expect(watcher.counts).toEqual({ kept: 300, examined: 0 });
  watcher.settle();
  expect(watcher.counts.examined).toBeWithin(40, 70);
  expect(watcher.position.number).toBe(300);
});

test("settling examines at once what waits", () => {
  const { keep, watcher } = createTestTail();
  keep([{ a: 1 }, { a: 2 }]);
  watcher.settle();
  expect(watcher.counts).toEqual({ kept: 2, examined: 2 });
});

test("events that come after settling are examined as well", async () => {
  const { keep, watcher, settled } = createTestTail();
  keep([{ a: 1 }]);
  watcher.settle();
  keep([{ a: 2 }]);
  await settled();
  expect(watcher.counts).toEqual({ kept: 2, examined: 2 });
});

test("a defect in whoever is told stops nothing, and is told of once", async () => {
  const defects: unknown[] = [];
  const { keep, settled, recentEvents } = createTestTail({
    budget: unlimited,
    onExamined: () => {
      throw new Error("defect");
    },
    onDefect: (error) => void defects.push(error),
  });
  keep([{ a: 1 }, { a: 2 }, { a: 3 }]);
  await settled();
  expect(recentEvents.count).toBe(3);
  expect(defects.map(String)).toEqual(["Error: defect"]);
});

describe("no document is too hostile", () => {
  const hostile: readonly [string, string][] = [
    ["special keys", '{"__proto__":{"a":1},"constructor":null,"toString":"x","hasOwnProperty":1}'],
    ["arrays for objects", '{"source":[],"destination":[[]],"url":[{"path":"/"}],"tls":[{}]}'],
    ["numbers as strings", '{"destination":{"port":"22"},"source":{"as":{"number":"1"}}}'],
    ["a string of 128 KiB", `{"url":{"path":"${"a".repeat(131_072)}"}}`],
    ["64 levels", `${'{"source":'.repeat(64)}1${"}".repeat(64)}`],
    ["lone surrogates", '{"url":{"path":"\\ud800\\udc00\\udfff"}}'],
    ["control characters", '{"url":{"path":"\\u0000\\u001b[2J\\u202e"}}'],
    ["huge numbers", '{"destination":{"port":1e400},"source":{"geo":{"location":{"lat":-1e999,"lon":1}}}}'],
    ["what is not even JSON", "{]"],
  ];
  for (const [name, line] of hostile)
    test(`${name}: the event is examined and its line is as it came`, async () => {
      const { keep, settled, examined } = createTestTail();
      keep([line, "{}"]);
      await settled();
      expect(examined.map((event) => event.line.toString())).toEqual([line, "{}"]);
    });
});
