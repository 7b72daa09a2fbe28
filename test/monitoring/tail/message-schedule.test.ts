import { expect, test } from "bun:test";
import { MessageSchedule } from "../../../server/monitoring/tail/message-schedule.ts";

/** Longer than any test: a tick that resolves was ended early. */
const never = 3_600_000;

test("a tick is due after its time", async () => {
  const schedule = new MessageSchedule(1);
  await schedule.nextTick();
  expect([schedule.isStopping, schedule.isClosed]).toEqual([false, false]);
});

test("stopping ends the wait for the next tick, and all later ones", async () => {
  const schedule = new MessageSchedule(never);
  const tick = schedule.nextTick();
  schedule.stop();
  await tick;
  await schedule.nextTick();
  expect([schedule.isStopping, schedule.isClosed]).toEqual([true, false]);
});

test("closing ends the wait for the next tick, and all later ones", async () => {
  const schedule = new MessageSchedule(never);
  const tick = schedule.nextTick();
  schedule.close();
  await tick;
  await schedule.nextTick();
  expect([schedule.isStopping, schedule.isClosed]).toEqual([false, true]);
});
