import { expect, test } from "bun:test";
import { createTurns } from "../../../server/monitoring/sampling/time-slices.ts";

/** Works for so long as a step, a tenth of a millisecond at a time. */
function busy(ms: number, isOver: () => boolean = () => false) {
  let left = ms * 10;
  return (until: number) => {
    while (left > 0) {
      const end = performance.now() + 0.1;
      while (performance.now() < end);
      left--;
      if (performance.now() >= until) break;
    }
    return left === 0 || isOver();
  };
}

const nextTurnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

test("work does not begin in the turn in which it is asked for", async () => {
  const turns = createTurns();
  let isBegun = false;
  const done = turns.run(() => {
    isBegun = true;
    return true;
  });
  await Promise.resolve();
  expect(isBegun).toBe(false);
  await done;
  expect(isBegun).toBe(true);
});

test("one slice a turn of the loop, however many have work", async () => {
  // A slice without time is one step.
  const turns = createTurns(0);
  let stepsInTurn = 0;
  let most = 0;
  const work = Array.from({ length: 20 }, () => {
    let steps = 0;
    return turns.run(() => {
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

test("a step is told until when it may work", async () => {
  const turns = createTurns(50);
  const startedAt = performance.now();
  let untilAt = 0;
  await turns.run((until) => {
    untilAt = until;
    return true;
  });
  expect(untilAt - startedAt).toBeWithin(50, 50 + performance.now() - startedAt);
});

test("whoever has much to do does not hold up the others", async () => {
  const turns = createTurns(1);
  let isShortDone = false;
  const long = turns.run(busy(500, () => isShortDone));
  const startedAt = performance.now();
  await turns.run(busy(1));
  isShortDone = true;
  expect(performance.now() - startedAt).toBeLessThan(250);
  await long;
});

test("an error comes back to whoever asked, and the others go on", async () => {
  const turns = createTurns();
  const failing = turns.run(() => {
    throw new Error("broken");
  });
  const other = turns.run(() => true);
  expect(failing).rejects.toThrow("broken");
  await other;
  await turns.run(() => true);
});
