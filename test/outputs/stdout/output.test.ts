import { expect, test } from "bun:test";
import type { DirectOutput } from "../../../server/outputs/output.ts";
import { createStdoutDelivery } from "../../../server/outputs/stdout/output.ts";
import { CannotKeep, type StoredEvent } from "../../../server/pipeline.ts";

function event(sequence: number): StoredEvent {
  return { sequence, sensorId: "vps-1", receivedAt: 0, document: Buffer.from(`{"n":${sequence}}`) };
}

/** A stdout whose writes end when the test says so, and as it says. */
function heldStdout() {
  const written: string[] = [];
  let held = Promise.withResolvers<void>();
  const stdout: Pick<DirectOutput, "keep"> = {
    keep(batch) {
      written.push(batch.lines.toString());
      held = Promise.withResolvers();
      return held.promise;
    },
  };
  return { stdout, written, finish: () => held.resolve(), fail: (error: Error) => held.reject(error) };
}

const delivery = { outboxId: "x", events: [event(1), event(2)] };

test("a batch is written as one line per event, and is delivered when it is written", async () => {
  const { stdout, written, finish } = heldStdout();
  const sent = createStdoutDelivery(stdout).send(delivery, new AbortController().signal);
  finish();
  expect(await sent).toEqual({ kind: "delivered" });
  expect(written).toEqual(['{"n":1}\n{"n":2}\n']);
});

test("the attempt after an aborted one waits for it instead of writing the batch again", async () => {
  const { stdout, written, finish } = heldStdout();
  const output = createStdoutDelivery(stdout);
  const timeout = new AbortController();
  const first = output.send(delivery, timeout.signal);
  timeout.abort();
  expect(await first).toEqual({ kind: "retry", reason: "stdout is not read" });
  const second = output.send(delivery, new AbortController().signal);
  finish();
  expect(await second).toEqual({ kind: "delivered" });
  expect(written).toHaveLength(1);
});

test("a batch whose aborted attempt was written meanwhile is not written again", async () => {
  const { stdout, written, finish } = heldStdout();
  const output = createStdoutDelivery(stdout);
  const timeout = new AbortController();
  const first = output.send(delivery, timeout.signal);
  timeout.abort();
  await first;
  finish();
  await Promise.resolve();
  expect(await output.send(delivery, new AbortController().signal)).toEqual({ kind: "delivered" });
  expect(written).toHaveLength(1);
});

test("a batch that could not be written is sent again, with the reason", async () => {
  const { stdout, written, finish, fail } = heldStdout();
  const output = createStdoutDelivery(stdout);
  const refused = output.send(delivery, new AbortController().signal);
  fail(new CannotKeep("cannot write to stdout: ENOSPC"));
  expect(await refused).toEqual({ kind: "retry", reason: "cannot write to stdout: ENOSPC" });
  const again = output.send(delivery, new AbortController().signal);
  finish();
  expect(await again).toEqual({ kind: "delivered" });
  expect(written).toHaveLength(2);
});
