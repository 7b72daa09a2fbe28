import { expect, test } from "bun:test";
import { DueTimer } from "../../../server/outputs/delivery/due-timer.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { createMemoryOutbox } from "../../support/memory-outbox.ts";
import { until } from "../../support/until.ts";

const never = () => Number.POSITIVE_INFINITY;

function timerWith() {
  const clock = createManualClock();
  const outbox = createMemoryOutbox();
  const stopping = new AbortController();
  const idle: number[] = [];
  const timer = new DueTimer({
    reader: outbox,
    limits: { maxEvents: 3, maxBytes: 1000, flushIntervalMs: 500 },
    clock,
    stopping: stopping.signal,
    onIdle: () => idle.push(clock.monotonic()),
  });
  const append = (count: number) =>
    outbox.append(
      Array.from({ length: count }, (_, n) => `{"n":${n}}`),
      clock.now(),
    );
  return { clock, outbox, stopping, idle, timer, append };
}

test("a full batch is due at once, and the output is not reported as idle", async () => {
  const { timer, append, idle } = timerWith();
  append(3);
  expect(await timer.untilDue(never)).toBe(true);
  expect(idle).toEqual([]);
});

test("without a due batch it returns when there is other work", async () => {
  const { timer, clock, append } = timerWith();
  append(1);
  expect(await timer.untilDue(() => clock.monotonic())).toBe(false);
  const waiting = timer.untilDue(() => 200);
  expect(await clock.toNextWaking()).toBe(200);
  expect(await waiting).toBe(false);
});

test("it tells when the batch leaves only while it collects one", async () => {
  const { timer, clock, append } = timerWith();
  append(1);
  const waiting = timer.untilDue(never);
  await until("it waits", () => clock.sleptMs.length === 1);
  expect(timer.leavesAt).toBe(clock.now() + 500);
  clock.advance(500);
  expect(await waiting).toBe(true);
  expect(timer.leavesAt).toBeUndefined();
});

test("after restart the whole flush interval passes again, even if the wall clock was set back", async () => {
  const { timer, clock, append } = timerWith();
  append(1);
  const first = timer.untilDue(never);
  await clock.toNextWaking();
  expect(await first).toBe(true);
  timer.restart();
  clock.setWall(clock.now() - 3_600_000);
  void timer.untilDue(never);
  await until("it waits again", () => clock.sleptMs.length === 2);
  expect(clock.sleptMs[1]).toBe(500);
});

test("wake ends a wait, so that new work is found", async () => {
  const { timer, clock } = timerWith();
  let otherWorkAt = Number.POSITIVE_INFINITY;
  const waiting = timer.untilDue(() => otherWorkAt);
  await until("it waits", () => clock.sleptMs.length === 1);
  otherWorkAt = clock.monotonic();
  timer.wake();
  expect(await waiting).toBe(false);
});

test("while stopping, pending events are due and nothing else is", async () => {
  const { timer, stopping, append } = timerWith();
  const waiting = timer.untilDue(never);
  stopping.abort();
  expect(await waiting).toBe(false);
  append(1);
  expect(await timer.untilDue(never)).toBe(true);
});
