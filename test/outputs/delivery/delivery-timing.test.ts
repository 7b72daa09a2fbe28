import { describe, expect, test } from "bun:test";
import { backoffMs } from "../../../server/outputs/delivery/backoff.ts";
import { storedEvent } from "../../support/memory-outbox.ts";
import { until } from "../../support/until.ts";
import { away, benchWith, type DeliveryBench, delivered, inTurn, limits, numbers } from "./delivery-bench.ts";

const sentOf = (bench: DeliveryBench, sends: number) =>
  until(`${sends} sends`, () => bench.sent.length >= sends);

/** Resolves when delivery waits for time to pass. */
const isSleeping = ({ clock }: DeliveryBench, sleeps: number) =>
  until(`${sleeps} sleeps`, () => clock.sleptMs.length >= sleeps);

describe("a batch is sent", () => {
  test("as soon as maxEvents events are pending", async () => {
    await using bench = await benchWith();
    await isSleeping(bench, 1);
    bench.append(10);
    await sentOf(bench, 1);
    expect(bench.sent).toEqual([numbers(1, 10)]);
  });

  test("as soon as maxBytes bytes are pending", async () => {
    await using bench = await benchWith({ limits: { maxBytes: 20 } });
    await isSleeping(bench, 1);
    bench.append(3);
    await sentOf(bench, 1);
    expect(bench.sent[0]).toEqual([1, 2]);
  });

  test("when a single event is as old as the flush interval, and not before", async () => {
    await using bench = await benchWith();
    await isSleeping(bench, 1);
    bench.append(1);
    await isSleeping(bench, 2);
    expect(await bench.clock.toNextWaking()).toBe(limits.flushIntervalMs);
    await sentOf(bench, 1);
    expect(bench.sent).toEqual([[1]]);
  });

  test("after the flush interval even if the clock was set back an hour", async () => {
    await using bench = await benchWith();
    await isSleeping(bench, 1);
    bench.append(1);
    bench.clock.setWall(bench.clock.now() - 3_600_000);
    await isSleeping(bench, 2);
    bench.clock.advance(limits.flushIntervalMs);
    await sentOf(bench, 1);
    expect(bench.sent).toEqual([[1]]);
  });

  test("at once if the pending events are older than the flush interval, as after a restart", async () => {
    await using bench = await benchWith();
    bench.outbox.append(['{"n":1}'], 0);
    await sentOf(bench, 1);
    expect(bench.clock.sleptMs.filter((ms) => ms <= limits.flushIntervalMs)).toEqual([]);
  });
});

test("the time at which a batch leaves is known only while it is collected", async () => {
  await using bench = await benchWith();
  await isSleeping(bench, 1);
  expect(bench.delivery.leavesAt).toBeUndefined();
  bench.append(1);
  await isSleeping(bench, 2);
  expect(bench.delivery.leavesAt).toBe(bench.clock.now() + limits.flushIntervalMs);
  bench.clock.advance(limits.flushIntervalMs);
  await sentOf(bench, 1);
  expect(bench.delivery.leavesAt).toBeUndefined();
});

describe("a request to send dead letters again", () => {
  const refused = { event: storedEvent(99), reason: "400" };

  test("is served at once if delivery is notified of it", async () => {
    await using bench = await benchWith();
    await bench.deadLetters.add([refused]);
    await isSleeping(bench, 1);
    await bench.deadLetters.requestRetry([99]);
    bench.delivery.lookForRequests();
    await sentOf(bench, 1);
    expect(bench.sent).toEqual([[99]]);
  });

  test("is served after the batch that is being sent", async () => {
    const { promise, resolve } = Promise.withResolvers<typeof delivered>();
    await using bench = await benchWith({ answer: inTurn(() => promise, delivered) });
    await bench.deadLetters.add([refused]);
    bench.append(10);
    await sentOf(bench, 1);
    await bench.deadLetters.requestRetry([99]);
    bench.delivery.lookForRequests();
    resolve(delivered);
    await sentOf(bench, 2);
    expect(bench.sent).toEqual([numbers(1, 10), [99]]);
  });

  test("is found within 2 s if delivery is not notified of it", async () => {
    await using bench = await benchWith();
    await bench.deadLetters.add([refused]);
    await isSleeping(bench, 1);
    await bench.deadLetters.requestRetry([99]);
    expect(await bench.clock.toNextWaking()).toBe(2000);
    await sentOf(bench, 1);
  });
});

describe("backoff", () => {
  const bounds = { retryBackoffMs: 1000, retryMaxBackoffMs: 30_000 };

  test("stays within its two bounds", () => {
    for (let failures = 1; failures < 2000; failures++) {
      for (const chance of [0, 0.5, 0.999_999]) {
        const ms = backoffMs(failures, undefined, bounds, () => chance);
        expect(ms).toBeGreaterThanOrEqual(bounds.retryBackoffMs);
        expect(ms).toBeLessThanOrEqual(bounds.retryMaxBackoffMs);
      }
    }
  });

  test("doubles its ceiling with each failure in a row", () => {
    const longest = [1, 2, 3, 4, 5, 6].map((failures) => backoffMs(failures, undefined, bounds, () => 1));
    expect(longest).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  test("is a random value below that ceiling", () => {
    expect(backoffMs(4, undefined, bounds, () => 0)).toBe(1000);
    expect(backoffMs(4, undefined, bounds, () => 0.5)).toBe(8500);
  });

  test("is what the server asked for, but at least the shortest pause and at most five minutes", () => {
    const asked = (ms: number) => backoffMs(3, ms, bounds, () => 0.5);
    expect([asked(7000), asked(0), asked(86_400_000)]).toEqual([7000, 1000, 300_000]);
  });

  test("is computed if the server asked for something that is not a number", () => {
    expect(backoffMs(1, Number.NaN, bounds, () => 0)).toBe(1000);
  });

  test("restarts at the shortest pause after events were delivered", async () => {
    await using bench = await benchWith({ answer: inTurn(away, away, delivered, away, delivered) });
    bench.clock.chance = 1;
    bench.append(20);
    const waits = [];
    for (let n = 0; n < 3; n++) waits.push(await bench.clock.toNextWaking());
    expect(waits).toEqual([2000, 4000, 2000]);
  });

  test("of one half of a split batch does not lengthen the backoff of the other half", async () => {
    const split = { kind: "split", reason: "HTTP 413" } as const;
    const answer = inTurn(split, away, away, delivered, away, delivered);
    await using bench = await benchWith({ answer, limits: { maxEvents: 2 } });
    bench.clock.chance = 1;
    bench.append(2);
    const waits = [];
    for (let n = 0; n < 3; n++) waits.push(await bench.clock.toNextWaking());
    expect(waits).toEqual([2000, 4000, 2000]);
  });

  test("follows the Retry-After of an answer", async () => {
    const busy = { kind: "retry", reason: "HTTP 429", retryAfterMs: 12_000 } as const;
    await using bench = await benchWith({ answer: inTurn(busy, delivered) });
    bench.append(10);
    expect(await bench.clock.toNextWaking()).toBe(12_000);
    await sentOf(bench, 2);
  });
});

describe("while an output is unreachable", () => {
  test("the first failure is logged at once, then one line a minute, and the recovery once", async () => {
    let isAway = true;
    await using bench = await benchWith({ answer: () => (isAway ? away : delivered) });
    bench.append(10);
    let elapsedMs = 0;
    while (elapsedMs < 130_000) elapsedMs += await bench.clock.toNextWaking();
    isAway = false;
    await bench.clock.toNextWaking();
    await until("it is delivered", () => bench.outbox.acknowledged.length === 1);
    const lines = bench.logged.map(({ level, message }) => `${level} ${message}`);
    expect(lines[0]).toBe("warn cannot deliver 10 events to stub: HTTP 503; retrying in 1.5 s");
    expect(lines.at(-1)).toBe("info delivering to stub again");
    const repeated = lines.slice(1, -1);
    expect(repeated).toHaveLength(2);
    for (const line of repeated)
      expect(line).toStartWith("warn still cannot deliver 10 events to stub: HTTP 503");
  });

  test("the state has the reason, the time since when, and the time of the next attempt", async () => {
    await using bench = await benchWith({ answer: () => away });
    const startedAt = bench.clock.now();
    bench.append(10);
    await until("it fails", () => bench.delivery.problem);
    expect(bench.delivery.problem).toBe("stub: HTTP 503");
    expect(bench.delivery.state).toEqual({
      state: "retrying",
      reason: "HTTP 503",
      since: startedAt,
      failures: 1,
      nextTryAt: startedAt + 1500,
      lastError: { class: "retry", reason: "HTTP 503", at: startedAt },
      lastDeliveredAt: undefined,
    });
  });

  test("a problem lasts until events are delivered", async () => {
    const { promise, resolve } = Promise.withResolvers<typeof delivered>();
    await using bench = await benchWith({ answer: inTurn(away, () => promise) });
    bench.append(10);
    await bench.clock.toNextWaking();
    await sentOf(bench, 2);
    expect(bench.delivery.problem).toBe("stub: HTTP 503");
    resolve(delivered);
    await until("it is delivered", () => bench.delivery.state.state === "idle");
    expect(bench.delivery.problem).toBeUndefined();
    expect(bench.delivery.state.lastDeliveredAt).toBe(bench.clock.now());
  });
});

test("a blocked delivery is logged as an error, retried, and continues by itself once the cause is fixed", async () => {
  const noTable = { kind: "hold", reason: "code 60: table loom_events does not exist" } as const;
  await using bench = await benchWith({ answer: inTurn(noTable, delivered) });
  bench.append(10);
  await until("it holds", () => bench.delivery.state.state === "holding");
  expect(bench.logged[0]).toMatchObject({ level: "error" });
  expect(bench.logged[0]?.message).toContain("blocked until fixed");
  expect(bench.delivery.problem).toBe("stub: code 60: table loom_events does not exist");
  expect(await bench.clock.toNextWaking()).toBeLessThanOrEqual(limits.retryMaxBackoffMs);
  await until("it is delivered", () => bench.outbox.acknowledged.length === 1);
});

test("each attempt is reported with its size and its result", async () => {
  await using bench = await benchWith({ answer: inTurn(away, delivered) });
  bench.append(10);
  await bench.clock.toNextWaking();
  await sentOf(bench, 2);
  await until("both are told", () => bench.attempts.length === 2);
  expect(bench.attempts).toMatchObject([
    { events: 10, bytes: 70, errorClass: "retry" },
    { events: 10, bytes: 70, errorClass: undefined },
  ]);
});

describe("a stop", () => {
  test("during backoff is immediate and leaves the batch in the outbox", async () => {
    await using bench = await benchWith({ answer: () => away });
    bench.append(10);
    await until("it fails", () => bench.delivery.problem);
    await bench.delivery.stop(60_000);
    expect(bench.outbox.acknowledged).toEqual([]);
    expect(bench.sent).toHaveLength(1);
  });

  test("waits for the answer to the batch that is being sent, and acknowledges the batch", async () => {
    const { promise, resolve } = Promise.withResolvers<typeof delivered>();
    await using bench = await benchWith({ answer: () => promise });
    bench.append(20);
    await sentOf(bench, 1);
    const stopped = bench.delivery.stop(60_000);
    resolve(delivered);
    await stopped;
    expect(bench.outbox.acknowledged).toHaveLength(1);
    expect(bench.sent).toHaveLength(1);
  });

  test("aborts the attempt in progress after its maximum wait, and does not acknowledge the batch", async () => {
    let isAborted = false;
    await using bench = await benchWith({
      answer: (_, signal) => {
        signal.addEventListener("abort", () => {
          isAborted = true;
        });
        return new Promise(() => {});
      },
    });
    bench.append(10);
    await sentOf(bench, 1);
    await bench.delivery.stop(20);
    expect(isAborted).toBe(true);
    expect(bench.outbox.acknowledged).toEqual([]);
  });

  test("sends a batch that was not due yet", async () => {
    await using bench = await benchWith();
    await isSleeping(bench, 1);
    bench.append(3);
    await isSleeping(bench, 2);
    await bench.delivery.stop(60_000);
    expect(bench.sent).toEqual([[1, 2, 3]]);
    expect(bench.outbox.acknowledged).toHaveLength(1);
  });
});
