import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { deadLettersPath } from "../../../server/outputs/dead-letters/dead-letters.ts";
import type { SendOutcome } from "../../../server/outputs/output.ts";
import { until } from "../../support/until.ts";
import { type Answer, benchWith, type DeliveryBench, delivered, inTurn, numbers } from "./delivery-bench.ts";

const suspect: SendOutcome = { kind: "suspect", key: "exception 32", reason: "exception 32: cannot parse" };
const accepts =
  (isBad: (sequence: number) => boolean): Answer =>
  ({ events }) =>
    events.some(({ sequence }) => isBad(sequence)) ? suspect : delivered;

function rejectedIn(dir: string): { sequence: number; reason: string }[] {
  const lines = readFileSync(deadLettersPath(dir, "stub"), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}

/** Lets the time pass in which delivery retries, until the condition holds. */
async function waitFor(bench: DeliveryBench, what: string, condition: () => boolean): Promise<void> {
  await until(what, async () => {
    if (condition()) return true;
    bench.clock.advance(60_000);
    return false;
  });
}

const isDelivered = (bench: DeliveryBench, events: number) => () =>
  bench.delivery.counts.deliveredEvents + bench.delivery.counts.deadEvents === events;

describe("an answer that may be about a row or about the output", () => {
  test("is retried first, since it may pass", async () => {
    await using bench = await benchWith({ answer: inTurn(suspect, suspect, delivered) });
    bench.append(10);
    await waitFor(bench, "it is delivered", isDelivered(bench, 10));
    expect(bench.sent).toEqual([numbers(1, 10), numbers(1, 10), numbers(1, 10)]);
  });

  test("costs only the bad rows, when others are accepted", async () => {
    const bad = new Set([2, 7, 8]);
    await using bench = await benchWith({ answer: accepts((sequence) => bad.has(sequence)) });
    bench.append(10);
    await waitFor(bench, "each event is delivered or dead", isDelivered(bench, 10));
    expect(bench.delivery.counts).toMatchObject({ deliveredEvents: 7, deadEvents: 3 });
    expect(rejectedIn(bench.dir).map(({ sequence }) => sequence)).toEqual([2, 7, 8]);
    expect(rejectedIn(bench.dir)[0]?.reason).toBe("exception 32: cannot parse");
    expect(bench.delivery.problem).toBeUndefined();
  });

  test("makes no dead letter while nothing is accepted, and the output is blocked", async () => {
    let isFixed = false;
    await using bench = await benchWith({ answer: () => (isFixed ? delivered : suspect) });
    bench.append(10);
    await waitFor(bench, "it is blocked", () => bench.delivery.state.state === "holding");
    for (let round = 0; round < 5; round++) await bench.clock.toNextWaking();
    expect(bench.delivery.counts).toMatchObject({ deliveredEvents: 0, deadEvents: 0 });
    expect(bench.delivery.problem).toBe("stub: exception 32: cannot parse");
    isFixed = true;
    await waitFor(bench, "it is delivered", isDelivered(bench, 10));
    expect(bench.delivery.counts).toMatchObject({ deliveredEvents: 10, deadEvents: 0 });
    expect(bench.delivery.problem).toBeUndefined();
  });

  test("about a single pending event is decided by the events that arrive after it", async () => {
    await using bench = await benchWith({ answer: accepts((sequence) => sequence === 1) });
    bench.append(1);
    await waitFor(bench, "it is blocked", () => bench.delivery.state.state === "holding");
    expect(bench.delivery.counts.deadEvents).toBe(0);
    bench.append(2);
    await waitFor(bench, "each event is delivered or dead", isDelivered(bench, 3));
    expect(bench.delivery.counts).toMatchObject({ deliveredEvents: 2, deadEvents: 1 });
    expect(rejectedIn(bench.dir).map(({ sequence }) => sequence)).toEqual([1]);
  });

  test("is only retried while the output is not reachable", async () => {
    await using bench = await benchWith({
      answer: accepts((sequence) => sequence === 1),
      isReachable: () => false,
    });
    bench.append(10);
    for (let round = 0; round < 10; round++) await bench.clock.toNextWaking();
    expect(bench.delivery.counts).toMatchObject({ deliveredEvents: 0, deadEvents: 0 });
    expect(new Set(bench.sent.map(({ length }) => length))).toEqual(new Set([10]));
  });

  test("to a dead letter that is sent again leaves it a dead letter, and delays nothing", async () => {
    await using bench = await benchWith({ answer: accepts((sequence) => sequence === 1) });
    bench.append(2);
    await waitFor(bench, "one is dead", () => bench.delivery.counts.deadEvents === 1);
    await bench.deadLetters.requestRetry([1]);
    bench.delivery.lookForRequests();
    bench.append(3);
    await waitFor(bench, "the others are delivered", () => bench.delivery.counts.deliveredEvents === 4);
    expect(rejectedIn(bench.dir)).toHaveLength(1);
    expect(bench.delivery.counts.revivedEvents).toBe(0);
  });

  test("of another kind while the bad event is searched is not taken for the same", async () => {
    const other: SendOutcome = { kind: "suspect", key: "exception 999", reason: "exception 999: keeper" };
    let sends = 0;
    await using bench = await benchWith({
      // The third attempt is followed by a search, in which the server fails in another way.
      answer: (delivery, signal) => {
        sends++;
        if (sends === 4) return other;
        return accepts((sequence) => sequence === 3)(delivery, signal);
      },
    });
    bench.append(10);
    await waitFor(bench, "each event is delivered or dead", isDelivered(bench, 10));
    expect(bench.delivery.counts).toMatchObject({ deliveredEvents: 9, deadEvents: 1 });
  });
});

test("after a crash in the search, the same events are sent alone and the same halves follow", async () => {
  const answer = accepts((sequence) => sequence === 4);
  await using first = await benchWith({ answer, limits: { maxEvents: 8 } });
  first.append(8);
  await waitFor(first, "some sends after the search", () => first.sent.length >= 8);
  await first.delivery.stop(0);
  first.outbox.reopen();
  await using second = await benchWith({ answer, limits: { maxEvents: 8 }, outbox: first.outbox });
  await waitFor(second, "each event is delivered or dead", isDelivered(second, 8));
  expect(second.sent.slice(0, first.sent.length)).toEqual([...first.sent]);
});

test("in each round without evidence other events are sent alone", async () => {
  await using bench = await benchWith({ answer: () => suspect, limits: { maxEvents: 100 } });
  bench.append(100);
  for (let round = 0; round < 12; round++) await bench.clock.toNextWaking();
  const alone = bench.sent.filter(({ length }) => length === 1).map(([sequence]) => sequence);
  expect(alone.length).toBeGreaterThan(15);
  expect(new Set(alone).size).toBeGreaterThan(alone.length / 2);
});

test("a batch whose search was cut off is not taken back, because the event that was sent alone may be stored", async () => {
  const cutOff: SendOutcome = { kind: "retry", reason: "no answer: ECONNRESET" };
  await using bench = await benchWith({
    answer: inTurn(suspect, suspect, suspect, cutOff, suspect),
    limits: { maxEvents: 4 },
  });
  bench.append(4);
  await waitFor(bench, "the search is repeated", () => bench.sent.length >= 6);
  expect(bench.sent.slice(0, 6)).toEqual([
    numbers(1, 4),
    numbers(1, 4),
    numbers(1, 4),
    bench.sent[3] ?? [],
    numbers(1, 4),
    bench.sent[3] ?? [],
  ]);
  expect(bench.outbox.takenBack).toBe(0);
});
