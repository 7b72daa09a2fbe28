import { describe, expect, test } from "bun:test";
import type { SendResult } from "../../../server/outputs/delivery/batch-sender.ts";
import { RejectionGuard } from "../../../server/outputs/delivery/rejection-guard.ts";
import type { SendOutcome } from "../../../server/outputs/output.ts";
import { storedEvent } from "../../support/memory-outbox.ts";
import { until } from "../../support/until.ts";
import { type Answer, benchWith } from "./delivery-bench.ts";

const strict = "HTTP 400 strict_dynamic_mapping_exception";

function resultOf(delivered: number, rejected: number): SendResult {
  return {
    delivered: Array.from({ length: delivered }, (_, n) => storedEvent(n + 1)),
    rejected: Array.from({ length: rejected }, (_, n) => ({ event: storedEvent(n + 1), reason: strict })),
  };
}

function guardAfter(...results: readonly (readonly [delivered: number, rejected: number])[]): RejectionGuard {
  const guard = new RejectionGuard();
  for (const [delivered, rejected] of results) guard.note(resultOf(delivered, rejected));
  return guard;
}

describe("the guard", () => {
  test("is active when more than half of at least 20 events were rejected", () => {
    expect(guardAfter([0, 19]).problem).toBeUndefined();
    expect(guardAfter([0, 20]).problem).toBe(`20 of the last 20 events were rejected: ${strict}`);
    expect(guardAfter([100, 100]).problem).toBeUndefined();
    expect(guardAfter([100, 101]).problem).toBe(`101 of the last 201 events were rejected: ${strict}`);
  });

  test("counts the last 200 events only", () => {
    expect(guardAfter([10_000, 0], [50, 150]).isActive).toBe(true);
    expect(guardAfter([10_000, 0], [50, 149]).isActive).toBe(false);
    expect(guardAfter([0, 10_000], [200, 0]).isActive).toBe(false);
  });

  test("allows batches of any size and no pause while it is not active", () => {
    const guard = guardAfter([100, 0]);
    expect(guard.maxEvents).toBe(Number.POSITIVE_INFINITY);
    expect(guard.rejectedProbes).toBe(0);
  });

  test("allows small batches while active, doubled after each that was accepted whole", () => {
    const guard = guardAfter([0, 200]);
    expect(guard.maxEvents).toBe(10);
    guard.note(resultOf(10, 0));
    guard.note(resultOf(20, 0));
    expect(guard.maxEvents).toBe(40);
    expect(guard.rejectedProbes).toBe(0);
    guard.note(resultOf(39, 1));
    expect(guard.maxEvents).toBe(10);
  });

  test("asks for pauses that grow with the probes in a row that were rejected", () => {
    const guard = guardAfter([0, 200]);
    expect(guard.rejectedProbes).toBe(1);
    guard.note(resultOf(0, 10));
    expect(guard.rejectedProbes).toBe(2);
    guard.note(resultOf(10, 0));
    expect(guard.rejectedProbes).toBe(0);
  });
});

test("an output that rejects most events is not ready, and gets a few at a time until it accepts them", async () => {
  let isStrict = true;
  const answer: Answer = ({ events }): SendOutcome => ({
    kind: "judged",
    rejected: isStrict ? events.map((event) => ({ event, reason: strict })) : [],
    retry: [],
    reason: strict,
  });
  await using bench = await benchWith({ answer, limits: { maxEvents: 100 } });
  bench.append(100);
  await until("it is not ready", () => bench.delivery.problem);
  expect(bench.delivery.problem).toBe(`stub: 100 of the last 100 events were rejected: ${strict}`);
  expect(bench.delivery.state.state).toBe("holding");
  bench.append(1000);
  for (let probe = 0; probe < 5; probe++) await bench.clock.toNextWaking();
  await until("a sixth batch is sent", () => bench.sent.length >= 6);
  expect(bench.sent.slice(1).map(({ length }) => length)).toEqual([10, 10, 10, 10, 10]);
  isStrict = false;
  await until("all are delivered or dead", () => {
    const { deliveredEvents, deadEvents } = bench.delivery.counts;
    if (deliveredEvents + deadEvents === 1100) return true;
    bench.clock.advance(60_000);
    return false;
  });
  await until("it is ready", () => bench.delivery.problem === undefined);
  expect(bench.delivery.counts.deliveredEvents).toBeGreaterThan(900);
  expect(bench.logged.filter(({ level }) => level === "error").map(({ message }) => message)).toEqual([
    `most events are rejected by stub; sending a few at a time: 100 of the last 100 events were rejected: ${strict}`,
  ]);
  expect(bench.logged.at(-1)?.message).toBe("most events are accepted by stub again");
});

test("an event that is rejected among others does not make the output not ready", async () => {
  const answer: Answer = ({ events }): SendOutcome => ({
    kind: "judged",
    rejected: events.filter(({ sequence }) => sequence % 3 === 0).map((event) => ({ event, reason: strict })),
    retry: [],
    reason: strict,
  });
  await using bench = await benchWith({ answer, limits: { maxEvents: 100 } });
  bench.append(900);
  await until("all are delivered or dead", () => bench.delivery.counts.deadEvents === 300);
  expect(bench.delivery.problem).toBeUndefined();
  expect(bench.sent.every(({ length }) => length === 100)).toBe(true);
});
