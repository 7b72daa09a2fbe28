import { describe, expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { createDescriptorWriter } from "../../../server/descriptor-writer.ts";
import { StdoutWriter } from "../../../server/outputs/stdout/stdout-writer.ts";
import { CannotKeep } from "../../../server/pipeline.ts";
import { recordingLog } from "../../support/log.ts";
import { createPipe, type Pipe } from "../../support/pipe.ts";
import { until } from "../../support/until.ts";

function outputTo(descriptor: number, stalledAfterMs = 100) {
  const log = recordingLog();
  const closed: Error[] = [];
  const output = new StdoutWriter({
    log,
    onClosed: (error) => void closed.push(error),
    writer: createDescriptorWriter(descriptor),
    stalledAfterMs,
  });
  return { output, log, closed };
}

function batch(text: string) {
  return { sensorId: "vps-1", eventCount: 1, lines: Buffer.from(`${text}\n`) };
}

const large = "x".repeat(1_000_000);

/** "kept", or the reason why the batch was not kept. */
function outcome(keeping: Promise<void>): Promise<string> {
  return keeping.then(
    () => "kept",
    (error: unknown) => (error instanceof CannotKeep ? error.reason : `${error}`),
  );
}

async function readUntil(pipe: Pipe, length: number): Promise<string> {
  let text = "";
  await until(`${length} bytes are read`, () => {
    text += pipe.readAvailable().toString();
    return text.length >= length;
  });
  return text;
}

test("a batch is kept when it is written", async () => {
  using pipe = createPipe();
  const { output } = outputTo(pipe.writeEnd);
  expect(await outcome(output.keep(batch("one")))).toBe("kept");
  expect(pipe.readAvailable().toString()).toBe("one\n");
  await output.stop(100);
});

describe("the report", () => {
  test("counts the written events", async () => {
    using pipe = createPipe();
    const { output } = outputTo(pipe.writeEnd);
    await output.keep(batch("one"));
    await output.keep({ sensorId: "vps-1", eventCount: 2, lines: Buffer.from("two\nthree\n") });
    expect(output.report()).toMatchObject({
      keptEvents: 3,
      deliveredEvents: 3,
      waitingEvents: 0,
      waitingBytes: 0,
    });
    await output.stop(100);
  });

  test("says why a stalled stdout is blocked and how much is waiting, until the reader reads again", async () => {
    using pipe = createPipe();
    const { output } = outputTo(pipe.writeEnd);
    const begun = outcome(output.keep(batch(large)));
    await until("it counts as stalled", () => output.report().state === "holding");
    expect(output.report()).toMatchObject({
      reason: "stdout stalled: nobody reads it",
      keptEvents: 0,
      waitingEvents: 1,
      waitingBytes: 1_000_001,
      lastError: { class: "timeout" },
    });
    await readUntil(pipe, 1_000_001);
    expect(await begun).toBe("kept");
    await until("it is well again", () => output.report().state !== "holding");
    expect(output.report()).toMatchObject({
      keptEvents: 1,
      waitingEvents: 0,
      reason: undefined,
      failures: 0,
    });
    await output.stop(100);
  });
});

describe("a stalled reader", () => {
  test("makes the output not ready, refuses batches whose writing has not begun, and loses nothing of the others", async () => {
    using pipe = createPipe();
    const { output, log } = outputTo(pipe.writeEnd);
    const begun = outcome(output.keep(batch(large)));
    const waiting = outcome(output.keep(batch("waiting")));
    await until("it counts as stalled", () => output.problem() === "stdout stalled");
    expect(await waiting).toBe("stdout stalled");
    expect(await outcome(output.keep(batch("late")))).toBe("stdout stalled");
    expect(log.lines.map(({ level }) => level)).toEqual(["error"]);

    expect(await readUntil(pipe, 1_000_001)).toBe(`${large}\n`);
    expect(await begun).toBe("kept");
    await until("it is well again", () => output.problem() === undefined);
    expect(await outcome(output.keep(batch("again")))).toBe("kept");
    expect(pipe.readAvailable().toString()).toBe("again\n");
    await output.stop(100);
  });

  test("does not make memory grow: over a limit, batches are refused at once", async () => {
    using pipe = createPipe();
    const { output } = outputTo(pipe.writeEnd, 60_000);
    const outcomes = Array.from({ length: 50 }, () => outcome(output.keep(batch(large))));
    expect(await outcomes[49]).toBe("stdout is read too slowly");
    await readUntil(pipe, 33 * 1_000_001);
    expect((await Promise.all(outcomes)).filter((one) => one === "kept")).toHaveLength(33);
    await output.stop(100);
  });
});

test("a closed reader ends the output, once", async () => {
  using pipe = createPipe();
  pipe.closeReader();
  const { output, closed } = outputTo(pipe.writeEnd);
  const outcomes = await Promise.all([outcome(output.keep(batch("a"))), outcome(output.keep(batch("b")))]);
  expect(outcomes).toEqual(["cannot write to stdout: EPIPE", "cannot write to stdout: EPIPE"]);
  expect(closed).toHaveLength(1);
  expect(output.problem()).toBe("stdout closed");
  await output.stop(100);
});

test("on a full disk batches are refused, this is logged once, and each batch is a new attempt", async () => {
  const descriptor = openSync("/dev/full", "w");
  const { output, log, closed } = outputTo(descriptor);
  for (let i = 0; i < 3; i++)
    expect(await outcome(output.keep(batch("a")))).toBe("cannot write to stdout: ENOSPC");
  expect(output.problem()).toBe("cannot write to stdout: ENOSPC");
  expect(output.report()).toMatchObject({ state: "holding", failures: 3, keptEvents: 0 });
  expect(log.lines).toHaveLength(1);
  expect(closed).toEqual([]);
  await output.stop(100);
  closeSync(descriptor);
});

test("an empty batch is kept and nothing is written", async () => {
  using pipe = createPipe();
  const { output } = outputTo(pipe.writeEnd);
  expect(await outcome(output.keep({ sensorId: "vps-1", eventCount: 0, lines: Buffer.alloc(0) }))).toBe(
    "kept",
  );
  expect(pipe.readAvailable().toString()).toBe("");
  await output.stop(100);
});

describe("stopping", () => {
  test("waits for the batch that is being written", async () => {
    using pipe = createPipe();
    const { output } = outputTo(pipe.writeEnd);
    const keeping = outcome(output.keep(batch(large)));
    const stopped = output.stop(10_000);
    await readUntil(pipe, 1_000_001);
    await stopped;
    expect(await keeping).toBe("kept");
    expect(await outcome(output.keep(batch("late")))).toBe("shutting down");
  });

  test("does not wait for a reader longer than its maximum", async () => {
    using pipe = createPipe();
    const { output } = outputTo(pipe.writeEnd, 60_000);
    const begun = outcome(output.keep(batch(large)));
    const waiting = outcome(output.keep(batch("waiting")));
    await output.stop(50);
    expect(await waiting).toBe("shutting down");
    await readUntil(pipe, 1_000_001);
    expect(await begun).toBe("kept");
  });
});
