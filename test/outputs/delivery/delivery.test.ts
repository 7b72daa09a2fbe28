import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deadLettersPath } from "../../../server/outputs/dead-letters/dead-letters.ts";
import type { SendOutcome } from "../../../server/outputs/output.ts";
import { until } from "../../support/until.ts";
import {
  type Answer,
  away,
  benchWith,
  type DeliveryBench,
  delivered,
  inTurn,
  numbers,
} from "./delivery-bench.ts";

const acknowledged = ({ outbox }: DeliveryBench, batches = 1) =>
  until(`${batches} batches are acknowledged`, () => outbox.acknowledged.length >= batches);

function lettersIn(dir: string): { sequence: number; reason: string }[] {
  const lines = readFileSync(deadLettersPath(dir, "stub"), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}

/** Judges each event by its number. */
function judging(rejected: readonly number[], retry: readonly number[] = []): Answer {
  return ({ events }): SendOutcome => ({
    kind: "judged",
    rejected: events
      .filter(({ sequence }) => rejected.includes(sequence))
      .map((event) => ({ event, reason: "400 mapper_parsing_exception" })),
    retry: events.filter(({ sequence }) => retry.includes(sequence)),
    reason: "2 items: 429",
  });
}

test("batches are sent one after another, in order, and each is acknowledged when it is delivered", async () => {
  await using bench = await benchWith();
  bench.append(30);
  await acknowledged(bench, 3);
  expect(bench.sent).toEqual([numbers(1, 10), numbers(11, 20), numbers(21, 30)]);
  expect(bench.delivery.counts).toEqual({
    deliveredEvents: 30,
    deadEvents: 0,
    batches: 3,
    retries: 0,
    revivedEvents: 0,
  });
});

test("a batch is not acknowledged before the output has answered", async () => {
  const { promise, resolve } = Promise.withResolvers<SendOutcome>();
  await using bench = await benchWith({ answer: () => promise });
  bench.append(20);
  await until("it is sent", () => bench.sent.length > 0);
  expect(bench.outbox.acknowledged).toHaveLength(0);
  resolve(delivered);
  await acknowledged(bench, 2);
});

test("events are counted as delivered or dead in the same turn in which they stop being pending", async () => {
  await using bench = await benchWith({ answer: judging([3]) });
  const { outbox } = bench;
  const { acknowledge } = outbox;
  const seen: unknown[] = [];
  outbox.acknowledge = (batch, onMoved) =>
    acknowledge(batch, () => {
      onMoved?.();
      const { deliveredEvents, deadEvents } = bench.delivery.counts;
      seen.push([deliveredEvents, deadEvents, outbox.waiting().events]);
    });
  bench.append(20);
  await acknowledged(bench, 2);
  expect(seen).toEqual([
    [9, 1, 10],
    [19, 1, 0],
  ]);
});

test("the same batch is sent again until it is delivered", async () => {
  await using bench = await benchWith({ answer: inTurn(away, away, delivered) });
  bench.append(10);
  await bench.clock.toNextWaking();
  await bench.clock.toNextWaking();
  await acknowledged(bench);
  expect(bench.sent).toEqual([numbers(1, 10), numbers(1, 10), numbers(1, 10)]);
  expect(bench.delivery.counts.retries).toBe(2);
});

test("an output that throws is logged as a defect, and its batch is sent again", async () => {
  const failing = () => Promise.reject(new Error("undefined is not a function"));
  await using bench = await benchWith({ answer: inTurn(failing, delivered) });
  bench.append(10);
  await until("it is logged", () => bench.logged.length > 0);
  expect(bench.logged[0]?.message).toContain("BUG: output stub failed: undefined is not a function");
  expect(bench.delivery.state.lastError?.class).toBe("defect");
  await bench.clock.toNextWaking();
  await acknowledged(bench);
});

test("an attempt without an answer ends after the timeout and is repeated", async () => {
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: () => new Promise<Response>(() => {}),
  });
  const silent: Answer = async (_, signal) => {
    await fetch(server.url, { signal });
    return delivered;
  };
  await using bench = await benchWith({
    answer: inTurn(silent, delivered),
    limits: { requestTimeoutMs: 50 },
  });
  bench.append(10);
  await until("it is given up", () => bench.delivery.problem);
  expect(bench.delivery.problem).toBe("stub: no answer within 50 ms");
  expect(bench.delivery.state.lastError?.class).toBe("timeout");
  await bench.clock.toNextWaking();
  await acknowledged(bench);
  await server.stop(true);
});

describe("a judged batch", () => {
  test("stores its rejected events as dead letters with their reason", async () => {
    await using bench = await benchWith({ answer: inTurn(judging([3, 7]), delivered) });
    bench.append(10);
    await acknowledged(bench);
    expect(lettersIn(bench.dir)).toMatchObject([
      { sequence: 3, reason: "400 mapper_parsing_exception" },
      { sequence: 7, reason: "400 mapper_parsing_exception" },
    ]);
    expect(bench.delivery.counts).toMatchObject({ deliveredEvents: 8, deadEvents: 2 });
  });

  test("sends again only the events to be retried, until none is left", async () => {
    await using bench = await benchWith({
      answer: inTurn(judging([2], [4, 5]), judging([], [5]), delivered),
    });
    bench.append(10);
    await bench.clock.toNextWaking();
    await bench.clock.toNextWaking();
    await acknowledged(bench);
    expect(bench.sent).toEqual([numbers(1, 10), [4, 5], [5]]);
    expect(bench.delivery.counts).toMatchObject({ deliveredEvents: 9, deadEvents: 1 });
  });

  test("does not delay the events behind a rejected event", async () => {
    await using bench = await benchWith({ answer: judging([1]) });
    bench.append(20);
    await acknowledged(bench, 2);
    expect(bench.sent).toEqual([numbers(1, 10), numbers(11, 20)]);
  });
});

describe("a batch to be split", () => {
  const poison =
    (...sequences: number[]): Answer =>
    ({ events }) =>
      events.some(({ sequence }) => sequences.includes(sequence))
        ? { kind: "split", reason: "code 27: cannot parse input" }
        : delivered;

  test("makes its one bad event among 100 a dead letter in a few sends, and delivers the others", async () => {
    await using bench = await benchWith({ answer: poison(42), limits: { maxEvents: 100 } });
    bench.append(100);
    await acknowledged(bench);
    expect(lettersIn(bench.dir)).toMatchObject([{ sequence: 42, reason: "code 27: cannot parse input" }]);
    expect(bench.delivery.counts).toMatchObject({ deliveredEvents: 99, deadEvents: 1 });
    expect(bench.sent.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(100)) + 1);
  });

  test("delivers its halves in order", async () => {
    await using bench = await benchWith({ answer: poison(3), limits: { maxEvents: 4 } });
    bench.append(4);
    await acknowledged(bench);
    expect(bench.sent).toEqual([[1, 2, 3, 4], [1, 2], [3, 4], [3], [4]]);
  });

  test("is split the same way again after a crash in the middle", async () => {
    const answer = poison(3);
    await using first = await benchWith({ answer: inTurn(answer, answer, away), limits: { maxEvents: 4 } });
    first.append(4);
    await until("the second half fails", () => first.sent.length === 3);
    await first.delivery.stop(0);
    first.outbox.reopen();
    await using second = await benchWith({ answer, limits: { maxEvents: 4 }, outbox: first.outbox });
    await acknowledged(second);
    expect(second.sent.slice(0, 3)).toEqual([...first.sent]);
  });

  test("retries each half separately if the output becomes unreachable", async () => {
    await using bench = await benchWith({
      answer: inTurn(poison(1), away, delivered),
      limits: { maxEvents: 2 },
    });
    bench.append(2);
    await bench.clock.toNextWaking();
    await acknowledged(bench);
    expect(bench.sent).toEqual([[1, 2], [1], [1], [2]]);
  });
});

test("a batch is not acknowledged before its dead letters are on disk", async () => {
  let isDiskFull = true;
  await using bench = await benchWith({
    answer: judging([2]),
    wrapDeadLetters: (real) => ({
      ...real,
      add: (refused) => (isDiskFull ? Promise.reject(new Error("ENOSPC: no space left")) : real.add(refused)),
    }),
  });
  bench.append(10);
  await until("the full disk shows", () => bench.delivery.problem);
  expect(bench.delivery.problem).toBe("stub: ENOSPC: no space left");
  expect(bench.delivery.state).toMatchObject({ state: "holding", lastError: { class: "disk" } });
  expect(bench.outbox.acknowledged).toHaveLength(0);
  isDiskFull = false;
  await bench.clock.toNextWaking();
  await acknowledged(bench);
  expect(bench.sent).toHaveLength(1);
  expect(bench.delivery.problem).toBeUndefined();
});

test("a crash between dead letter and acknowledgement does not create a second dead letter", async () => {
  const dir = mkdtempSync(join(tmpdir(), "loom-delivery-"));
  const first = await benchWith({ answer: judging([2]), dir });
  first.outbox.acknowledge = () => Promise.reject(new Error("EIO: i/o error"));
  first.append(10);
  await until("the acknowledgement fails", () => first.delivery.problem === "stub: EIO: i/o error");
  expect(lettersIn(dir)).toHaveLength(1);
  await first.delivery.stop(0);
  const second = await benchWith({ answer: judging([2]), dir });
  second.append(10);
  await acknowledged(second);
  await second.delivery.stop(0);
  expect(lettersIn(dir)).toHaveLength(1);
  rmSync(dir, { recursive: true });
});
