import { describe, expect, jest, test } from "bun:test";
import { TimeSlices } from "../../../server/monitoring/sampling/time-slices.ts";
import type { Change } from "../../../server/monitoring/saved-state/saved-entries.ts";
import type { Removal, Write } from "../../../server/monitoring/saved-state/state-database.ts";
import { StateSaver } from "../../../server/monitoring/saved-state/state-saver.ts";
import { recordingLog } from "../../support/log.ts";

/** A saver with parts whose changes a test sets, and a file that a test lets fail. */
function saver(
  answer: Promise<undefined> = Promise.resolve(undefined),
  timeSlices: Pick<TimeSlices, "run"> = new TimeSlices(),
) {
  const pending = { quick: [] as Change[], slow: [] as Change[] };
  const written: { writes: Write[]; removals: Removal[] }[] = [];
  const file = { failure: undefined as string | undefined, isClosed: false };
  const log = recordingLog();
  const part = (name: "quick" | "slow") => ({ changes: () => pending[name].splice(0) });
  const saver = new StateSaver({
    file: {
      async write(writes, removals) {
        await answer;
        if (file.failure === undefined) written.push({ writes: [...writes], removals: [...removals] });
        return file.failure;
      },
      async close() {
        file.isClosed = true;
      },
    },
    quickParts: [part("quick")],
    slowParts: [part("slow")],
    timeSlices,
    log,
  });
  return { saver, pending, written, file, log };
}

/** Time slices that do not wait for the event loop, which fake timers stop. */
const atOnce: Pick<TimeSlices, "run"> = {
  async run(step) {
    while (!step(Number.POSITIVE_INFINITY));
  },
};

const put = (key: string, value: unknown): Change => ({ kind: "k", key, value });
const keysOf = ({ writes }: { writes: Write[] }) => writes.map(({ key, json }) => `${key}=${json}`);

describe("a save", () => {
  test("writes what changed as JSON, and nothing if nothing changed", async () => {
    const { saver: one, pending, written } = saver();
    pending.quick = [put("a", { x: 1 }), put("b", undefined), { kind: "k", below: "5" }];
    await one.save();
    await one.save();
    expect(written).toEqual([
      {
        writes: [
          { kind: "k", key: "a", json: '{"x":1}' },
          { kind: "k", key: "b", json: undefined },
        ],
        removals: [{ kind: "k", below: "5" }],
      },
    ]);
    await one.stop(100);
  });

  test("that failed is repeated with the newest values, without what was removed meanwhile", async () => {
    const { saver: one, pending, written, file, log } = saver();
    file.failure = "database or disk is full";
    pending.quick = [put("1", 1), put("2", 2), put("3", 3)];
    await one.save();
    pending.quick = [put("3", 33), { kind: "k", below: "2" }];
    await one.save();
    file.failure = undefined;
    await one.save();
    expect(written.map(keysOf)).toEqual([["2=2", "3=33"]]);
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ["warn", "cannot save the dashboard's state; trying again every 5 s"],
      ["info", "the dashboard's state is saved again"],
    ]);
    await one.stop(100);
  });

  test("that a part prevents is logged, and the next one works", async () => {
    const { saver: one, pending, written, log } = saver();
    pending.quick = [put("a", 1n)];
    await one.save();
    expect(log.lines.map(({ level, fields }) => [level, String(fields.reason).slice(0, 14)])).toEqual([
      ["warn", "BUG: TypeError"],
    ]);
    pending.quick = [put("a", 1)];
    await one.save();
    expect(written.map(keysOf)).toEqual([["a=1"]]);
    await one.stop(100);
  });

  test("that a disk does not answer is logged once, and the next one begins when it has answered", async () => {
    jest.useFakeTimers();
    const answer = Promise.withResolvers<undefined>();
    const { saver: one, pending, file, log } = saver(answer.promise, atOnce);
    pending.quick = [put("a", 1)];
    const saving = one.save();
    for (let i = 0; i < 10; i++) await Promise.resolve();
    jest.advanceTimersByTime(29_000);
    expect(log.lines).toEqual([]);
    jest.advanceTimersByTime(60_000);
    jest.useRealTimers();
    expect(log.lines.map(({ fields }) => fields.reason)).toEqual(["the disk does not answer"]);
    answer.resolve(undefined);
    await saving;
    expect(log.lines.at(-1)?.message).toBe("the dashboard's state is saved again");
    expect(file.isClosed).toBe(false);
    await one.stop(100);
  });

  test("of the slow parts is every twelfth one", async () => {
    const { saver: one, pending, written } = saver();
    pending.slow = [put("slow", 1)];
    for (let i = 0; i < 11; i++) await one.save();
    expect(written).toEqual([]);
    await one.save();
    expect(written.map(keysOf)).toEqual([["slow=1"]]);
    await one.stop(100);
  });

  test("begins every 5 seconds by itself", async () => {
    jest.useFakeTimers();
    const { saver: one, pending, written } = saver();
    pending.quick = [put("a", 1)];
    jest.advanceTimersByTime(4_999);
    expect(pending.quick).toHaveLength(1);
    jest.advanceTimersByTime(1);
    jest.useRealTimers();
    await one.save();
    expect(written.map(keysOf)).toEqual([["a=1"]]);
    await one.stop(100);
  });
});

describe("a stop", () => {
  test("writes the changes of all parts and closes the file", async () => {
    const { saver: one, pending, written, file } = saver();
    pending.quick = [put("a", 1)];
    pending.slow = [put("b", 2)];
    await one.stop(1_000);
    expect(written.map(keysOf)).toEqual([["a=1", "b=2"]]);
    expect(file.isClosed).toBe(true);
  });
});
