import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { CannotKeep } from "../../server/pipeline.ts";
import { createMemoryDisk } from "./memory-disk.ts";
import { batchOf, drain, openTestOutbox } from "./outboxes.ts";

const dir = "/outbox";
const reason = "outbox: the disk has not responded for 5 s";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** An outbox whose disk hangs until `release` is called. */
async function outboxOnHangingDisk() {
  const disk = createMemoryDisk();
  disk.pause = () => Promise.resolve();
  const outbox = await openTestOutbox({ dir, files: disk });
  const { promise, resolve } = Promise.withResolvers<void>();
  const hanging = Promise.withResolvers<void>();
  disk.pause = () => {
    hanging.resolve();
    return promise;
  };
  const release = () => {
    disk.pause = () => Promise.resolve();
    resolve();
  };
  return { disk, outbox, hanging: hanging.promise, release };
}

/** What became of an append. */
function outcome(append: Promise<void>): Promise<string> {
  return append.then(
    () => "kept",
    (error: unknown) => (error instanceof CannotKeep ? error.reason : String(error)),
  );
}

test("batches are refused after 5 s, and kept again when the disk responds", async () => {
  const { outbox, hanging, release } = await outboxOnHangingDisk();
  const inWrite = outcome(outbox.append(batchOf('{"n":1}')));
  await hanging;
  const queued = outcome(outbox.append(batchOf('{"n":2}')));
  jest.advanceTimersByTime(5_500);
  expect(outbox.problem()).toBe(reason);
  expect(await queued).toBe(reason);
  expect(await outcome(outbox.append(batchOf('{"n":3}')))).toBe(reason);
  release();
  expect(await inWrite).toBe("kept");
  expect(outbox.problem()).toBeUndefined();
  expect(await outcome(outbox.append(batchOf('{"n":4}')))).toBe("kept");
  expect(await drain(outbox.reader("clickhouse"))).toEqual(['{"n":1}', '{"n":4}']);
});

test("a batch whose write fails after the disk hung is refused and not delivered", async () => {
  const { disk, outbox, hanging, release } = await outboxOnHangingDisk();
  const inWrite = outcome(outbox.append(batchOf('{"n":1}')));
  await hanging;
  jest.advanceTimersByTime(5_500);
  disk.fault = (operation) => (operation === "write" ? { code: "EIO" } : undefined);
  release();
  expect(await inWrite).toMatch(/EIO/);
  disk.fault = () => undefined;
  expect(await outcome(outbox.append(batchOf('{"n":2}')))).toBe("kept");
  expect(await drain(outbox.reader("clickhouse"))).toEqual(['{"n":2}']);
});
