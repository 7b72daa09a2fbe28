import { expect, test } from "bun:test";
import { CannotKeep } from "../../server/pipeline.ts";
import { createMemoryDisk, type MemoryDisk } from "./memory-disk.ts";
import { batchOf, drain, openTestOutbox } from "./outboxes.ts";

const dir = "/outbox";
const full = "outbox: the disk is full";

function isSegment(path: string): boolean {
  return path.endsWith(".seg");
}

/** Cursors have their full size from the beginning. */
function takesRoom(path: string): boolean {
  return isSegment(path) || path.endsWith("/reserve");
}

/** One event of 1,000 bytes. */
function kilobyte(n: number) {
  return batchOf(String(n).padEnd(1000, "."));
}

/** Why the batch was not kept, or "kept". */
function refusal(append: Promise<void>): Promise<string> {
  return append.then(
    () => "kept",
    (error: unknown) => (error instanceof CannotKeep ? error.reason : String(error)),
  );
}

function usedBytes({ entries }: MemoryDisk): number {
  let used = 0;
  for (const [path, { content }] of entries) if (takesRoom(path)) used += content.length;
  return used;
}

/** A disk with this many bytes for segments and the reserve, which `space` does not say: it looks once a second. */
function diskOf(bytes: number): MemoryDisk {
  const disk = createMemoryDisk();
  disk.fault = (operation, path, added) =>
    operation === "write" && takesRoom(path) && usedBytes(disk) + added > bytes
      ? { code: "ENOSPC" }
      : undefined;
  return disk;
}

for (const onFull of ["reject", "drop_oldest"] as const)
  test(`with ${onFull}, a batch that the disk has no room for is refused, and nothing is dropped`, async () => {
    const files = createMemoryDisk();
    files.spaceNow = () => ({ availableBytes: 50_000, totalBytes: 64_000 });
    const outbox = await openTestOutbox({ dir, files, onFull });
    let kept = 0;
    let reason = "kept";
    for (; reason === "kept"; kept++) {
      expect(outbox.counts().sizeBytes).toBeLessThan(50_000);
      reason = await refusal(outbox.append(kilobyte(kept)));
    }
    expect(reason).toBe(full);
    expect(outbox.problem()).toBe("outbox: the disk is nearly full");
    expect(outbox.counts().droppedEvents).toEqual({ clickhouse: 0 });
    expect(outbox.counts().maxBytes).toBe(48_000 + 64);
    expect(await drain(outbox.reader("clickhouse"))).toHaveLength(kept - 1);
    await outbox.append(kilobyte(kept));
    expect(outbox.problem()).toBeUndefined();
    await outbox.close();
  });

test("a batch that meets a full disk is kept if the delivered segment makes room for it", async () => {
  const files = diskOf(20_000);
  const outbox = await openTestOutbox({ dir, files, reserveBytes: 1_000 });
  for (let n = 0; n < 18; n++) await outbox.append(kilobyte(n));
  await drain(outbox.reader("clickhouse"));
  await outbox.append(kilobyte(18));
  await outbox.append(kilobyte(19));
  const { failedSyncs, segments } = outbox.counts();
  expect([failedSyncs, segments]).toEqual([1, 1]);
  expect(outbox.problem()).toBeUndefined();
  expect(await drain(outbox.reader("clickhouse"))).toHaveLength(2);
  await outbox.close();
});

test("the reserve gives the room for the header of the segment that replaces a delivered one", async () => {
  const files = diskOf(20_000);
  const outbox = await openTestOutbox({ dir, files, reserveBytes: 1_000 });
  for (let n = 0; n < 10; n++) await outbox.append(kilobyte(n));
  await drain(outbox.reader("clickhouse"));
  // Others fill the disk to its last byte.
  files.fault = (operation, path, added) =>
    operation === "write" && isSegment(path) && (files.entries.has(`${dir}/reserve`) || added > 64)
      ? { code: "ENOSPC" }
      : undefined;
  expect(await refusal(outbox.append(kilobyte(10)))).toMatch(/ENOSPC/);
  files.fault = () => undefined;
  expect(files.entries.has(`${dir}/reserve`)).toBe(false);
  expect(outbox.counts()).toMatchObject({ segments: 1, sizeBytes: 64 });
  await outbox.append(kilobyte(11));
  expect(await drain(outbox.reader("clickhouse"))).toHaveLength(1);
  await outbox.close();
});

test("the reserve is not used while the last segment has undelivered events", async () => {
  const files = diskOf(5_000);
  const outbox = await openTestOutbox({ dir, files, reserveBytes: 1_000 });
  for (let n = 0; n < 3; n++) await outbox.append(kilobyte(n));
  expect(await refusal(outbox.append(batchOf("x".repeat(5_000))))).toMatch(/ENOSPC/);
  expect(files.entries.has(`${dir}/reserve`)).toBe(true);
  await outbox.close();
});

/** A disk on which no file may become larger than this. */
function diskWithFileLimit(bytes: number): MemoryDisk {
  const disk = createMemoryDisk();
  disk.fault = (operation, path, added) =>
    operation === "write" && (disk.entries.get(path)?.content.length ?? 0) + added > bytes
      ? { code: "EFBIG" }
      : undefined;
  return disk;
}

test("a limit on the size of files ends segments at that size, and refuses nothing", async () => {
  const outbox = await openTestOutbox({ dir, files: diskWithFileLimit(10_000), reserveBytes: 0 });
  for (let n = 0; n < 30; n++) await outbox.append(kilobyte(n));
  const { failedSyncs, segments } = outbox.counts();
  // Only the first segment meets the limit.
  expect([failedSyncs, segments]).toEqual([1, 4]);
  expect(outbox.problem()).toBeUndefined();
  expect(await drain(outbox.reader("clickhouse"))).toHaveLength(30);
  await outbox.close();
});

test("a batch larger than a file may be is refused, and the next one is kept", async () => {
  const outbox = await openTestOutbox({ dir, files: diskWithFileLimit(10_000), reserveBytes: 0 });
  await outbox.append(kilobyte(0));
  expect(await refusal(outbox.append(batchOf("x".repeat(20_000))))).toMatch(/EFBIG/);
  await outbox.append(kilobyte(1));
  expect(outbox.problem()).toBeUndefined();
  expect(await drain(outbox.reader("clickhouse"))).toHaveLength(2);
  await outbox.close();
});
