import { expect, test } from "bun:test";
import { TimeSlices } from "../../../server/monitoring/sampling/time-slices.ts";

const nextTurnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Time slices by a clock that only work moves: each unit of work takes 0.1 ms. */
function clockedSlices(sliceMs: number) {
  const clock = { now: 1_000 };
  const timeSlices = new TimeSlices(sliceMs, () => clock.now);
  /** Work of a number of units, which stops at the end of each slice. */
  function work(units: number) {
    const progress = { unitsDone: 0 };
    const done = timeSlices.run((until) => {
      while (progress.unitsDone < units) {
        clock.now += 0.1;
        progress.unitsDone++;
        if (clock.now >= until) break;
      }
      return progress.unitsDone === units;
    });
    return { progress, done };
  }
  return { timeSlices, clock, work };
}

test("work does not begin in the turn of the event loop in which it is requested", async () => {
  const timeSlices = new TimeSlices();
  let isBegun = false;
  const done = timeSlices.run(() => {
    isBegun = true;
    return true;
  });
  await Promise.resolve();
  expect(isBegun).toBe(false);
  await done;
  expect(isBegun).toBe(true);
});

test("there is one slice in each turn of the event loop, however many jobs there are", async () => {
  // A slice of 0 ms is one step.
  const timeSlices = new TimeSlices(0);
  let stepsInTurn = 0;
  let most = 0;
  const work = Array.from({ length: 20 }, () => {
    let steps = 0;
    return timeSlices.run(() => {
      stepsInTurn++;
      most = Math.max(most, stepsInTurn);
      steps++;
      return steps === 3;
    });
  });
  let isDone = false;
  const all = Promise.all(work).then(() => {
    isDone = true;
  });
  let loopTurns = 0;
  for (; !isDone; loopTurns++) {
    await nextTurnOfLoop();
    stepsInTurn = 0;
  }
  await all;
  expect(most).toBe(1);
  expect(loopTurns).toBeGreaterThanOrEqual(60);
});

test("a step gets the time at which its slice ends", async () => {
  const { timeSlices, clock } = clockedSlices(50);
  const untils: number[] = [];
  await timeSlices.run((until) => {
    untils.push(until);
    clock.now += 20;
    return untils.length === 4;
  });
  expect(untils).toEqual([1_050, 1_050, 1_050, 1_110]);
});

test("a short job is done before a long one that began earlier", async () => {
  const { work } = clockedSlices(1);
  const long = work(5_000);
  const short = work(10);
  await short.done;
  // One slice of the long job, and at most one more that began before the short one's promise was settled.
  expect(long.progress.unitsDone).toBeLessThanOrEqual(20);
  await long.done;
  expect(long.progress.unitsDone).toBe(5_000);
});

test("an error rejects the promise of its own job only", async () => {
  const timeSlices = new TimeSlices();
  const failing = timeSlices.run(() => {
    throw new Error("broken");
  });
  const other = timeSlices.run(() => true);
  expect(failing).rejects.toThrow("broken");
  await other;
  await timeSlices.run(() => true);
});
