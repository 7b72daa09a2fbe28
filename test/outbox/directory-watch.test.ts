import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { DirectoryWatch } from "../../server/outbox/directory-watch.ts";
import { recordingLog } from "../support/log.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const dir = "/outbox";

async function startWatch() {
  const log = recordingLog();
  const state = {
    identity: "1:2" as string | undefined,
    error: undefined as Error | undefined,
    isActiveInPlace: true,
    segmentsGone: 0,
    problems: [] as string[],
  };
  const watch = new DirectoryWatch({
    dir,
    log,
    files: {
      async identify() {
        if (state.error) throw state.error;
        return state.identity;
      },
    },
    isActiveInPlace: async () => state.isActiveInPlace,
    onProblem: (problem) => void state.problems.push(problem),
    onSegmentGone: () => void state.segmentsGone++,
  });
  await watch.start();
  return { log, state, watch };
}

test("the names are examined twice a second", async () => {
  const { state, watch } = await startWatch();
  state.isActiveInPlace = false;
  jest.advanceTimersByTime(499);
  await Promise.resolve();
  expect(state.segmentsGone).toBe(0);
  jest.advanceTimersByTime(1);
  await watch.check();
  expect(state.segmentsGone).toBeGreaterThan(0);
});

for (const [what, identity] of [
  ["removed", undefined],
  ["replaced", "1:3"],
] as const)
  test(`a directory that was ${what} is a problem until it is back, and each change is logged once`, async () => {
    const { state, watch, log } = await startWatch();
    Object.assign(state, { identity, isActiveInPlace: false });
    await watch.check();
    await watch.check();
    const problem = `outbox: the directory /outbox was ${what}`;
    expect(watch.problem).toBe(problem);
    expect(state.problems).toEqual([problem]);
    Object.assign(state, { identity: "1:2", isActiveInPlace: true });
    await watch.check();
    expect(watch.problem).toBeUndefined();
    expect(state.segmentsGone).toBe(0);
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      [
        "error",
        "batches are refused; put the same directory back, or restart Loom, which continues with what is there",
      ],
      ["info", "the outbox directory is back; batches are accepted"],
    ]);
  });

test("a segment that is gone from the same directory is reported, and is not a problem of the directory", async () => {
  const { state, watch } = await startWatch();
  state.isActiveInPlace = false;
  await watch.check();
  expect([watch.problem, state.segmentsGone]).toEqual([undefined, 1]);
});

test("a directory with another number that still has the active segment is the same one", async () => {
  const { state, watch } = await startWatch();
  state.identity = "1:3";
  await watch.check();
  expect(watch.problem).toBeUndefined();
});

test("a name that cannot be examined changes nothing", async () => {
  const { state, watch } = await startWatch();
  Object.assign(state, { isActiveInPlace: false, error: new Error("EIO") });
  await watch.check();
  expect([watch.problem, state.segmentsGone]).toEqual([undefined, 0]);
});
