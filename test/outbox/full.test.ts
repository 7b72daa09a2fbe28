import { expect, test } from "bun:test";
import { CannotKeep } from "../../server/pipeline.ts";
import { until } from "../support/until.ts";
import { createMemoryDisk, type Fault } from "./memory-disk.ts";
import { batchOf, documentsOf, drain, openTestOutbox, wideBounds } from "./outboxes.ts";

const dir = "/outbox";
const frameBytes = 40 + "spip-001\n".length + 1001;
const isSegment = (path: string) => path.endsWith(".seg");

/** One event of 1,000 bytes. */
function kilobyte(n: number) {
  return batchOf(String(n).padEnd(1000, "."));
}

/** Appends one after the other until one is refused. @returns how many were kept. */
async function appendUntilRefused(
  append: (batch: ReturnType<typeof kilobyte>) => Promise<void>,
): Promise<number> {
  for (let n = 0; ; n++) {
    try {
      await append(kilobyte(n));
    } catch (error) {
      if (error instanceof CannotKeep) return n;
      throw error;
    }
  }
}

/** Why the batch was not kept. */
async function refusal(append: Promise<void>): Promise<string> {
  const error = await append.then(
    () => new Error("it was kept"),
    (error: unknown) => error,
  );
  if (!(error instanceof CannotKeep)) throw error;
  return error.reason;
}

test("a full outbox refuses batches, keeps its events, and stays within its bound", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk, maxBytes: 100_000 });
  const kept = await appendUntilRefused(outbox.append);
  expect(kept).toBeGreaterThan(90);
  expect(await refusal(outbox.append(kilobyte(0)))).toBe("outbox full");
  let onDisk = 0;
  for (const [path, { content }] of disk.entries) if (isSegment(path)) onDisk += content.length;
  expect(outbox.counts().sizeBytes).toBe(onDisk);
  expect(onDisk).toBeLessThanOrEqual(100_000);
  expect(await drain(outbox.reader("clickhouse"))).toHaveLength(kept);
});

test("a full outbox accepts batches again after some events were delivered", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk(), maxBytes: 100_000 });
  await appendUntilRefused(outbox.append);
  const reader = outbox.reader("clickhouse");
  const batch = await reader.next({ maxEvents: 30, maxBytes: 1_000_000 });
  if (batch) await reader.acknowledge(batch);
  await outbox.append(kilobyte(0));
  expect(outbox.problem()).toBeUndefined();
});

test("a problem is reported from 95 % on, while batches are still kept", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk(), maxBytes: 100_000 });
  const problems: (string | undefined)[] = [];
  for (let size = 0; size < 94_000; size = outbox.counts().sizeBytes) {
    problems.push(outbox.problem());
    await outbox.append(kilobyte(0));
  }
  expect(new Set(problems)).toEqual(new Set([undefined]));
  await outbox.append(kilobyte(0));
  expect(outbox.problem()).toBe("outbox nearly full");
});

test("a batch larger than the outbox is refused with that reason", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk(), maxBytes: 1000 });
  expect(await refusal(outbox.append(kilobyte(0)))).toBe("batch larger than the outbox");
  expect(outbox.problem()).toBeUndefined();
});

test("batches of nearly the outbox's size are kept and delivered one by one", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk(), maxBytes: 1500 });
  for (let n = 0; n < 3; n++) {
    await outbox.append(kilobyte(n));
    expect(await drain(outbox.reader("clickhouse"))).toHaveLength(1);
    expect(outbox.problem()).toBeUndefined();
  }
});

test("with drop_oldest the newest events stay, and dropped ones are counted for each output that had not received them", async () => {
  const outputs = ["clickhouse", "elasticsearch"];
  const files = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files, maxBytes: 100_000, onFull: "drop_oldest", outputs });
  for (let n = 0; n < 60; n++) await outbox.append(kilobyte(n));
  expect(await drain(outbox.reader("elasticsearch"))).toHaveLength(60);
  for (let n = 60; n < 130; n++) await outbox.append(kilobyte(n));
  expect(outbox.problem()).toBeUndefined();
  const { droppedEvents, sizeBytes } = outbox.counts();
  expect(sizeBytes).toBeLessThanOrEqual(100_000);
  expect(droppedEvents).toEqual({ clickhouse: expect.any(Number), elasticsearch: 0 });
  const rest = await drain(outbox.reader("clickhouse"));
  expect(rest.length + (droppedEvents.clickhouse ?? 0)).toBe(130);
  expect(rest.at(-1)).toBe(kilobyte(129).lines.toString().trimEnd());
  expect(await drain(outbox.reader("elasticsearch"))).toHaveLength(70);
});

/** An outbox that has dropped the ten events of a batch in flight. */
async function outboxWithDroppedBatch() {
  const files = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files, maxBytes: 100_000, onFull: "drop_oldest" });
  for (let n = 0; n < 50; n++) await outbox.append(kilobyte(n));
  const batch = await outbox.reader("clickhouse").next({ maxEvents: 10, maxBytes: 1_000_000 });
  if (!batch) throw new Error("nothing was handed out");
  for (let n = 50; n < 300; n++) await outbox.append(kilobyte(n));
  return { outbox, batch, reader: outbox.reader("clickhouse") };
}

test("a batch that was dropped in flight and is then acknowledged counts as delivered", async () => {
  const { outbox, batch, reader } = await outboxWithDroppedBatch();
  await reader.acknowledge(batch);
  const rest = await drain(reader);
  expect(rest.length + batch.events.length + (outbox.counts().droppedEvents.clickhouse ?? 0)).toBe(300);
});

test("a batch that was dropped in flight and is then requested again counts as dropped", async () => {
  const { outbox, reader } = await outboxWithDroppedBatch();
  const waitingBefore = reader.waiting().events + (outbox.counts().droppedEvents.clickhouse ?? 0);
  const rest = await drain(reader);
  expect(rest.length + (outbox.counts().droppedEvents.clickhouse ?? 0)).toBe(300);
  expect(waitingBefore).toBe(300);
});

const faults: readonly (readonly [string, "write" | "datasync", Fault])[] = [
  ["ENOSPC at the write", "write", { code: "ENOSPC" }],
  ["EIO at the write", "write", { code: "EIO" }],
  ["a write of 10 bytes and then of none", "write", { shortBytes: 0 }],
  ["EIO at the sync", "datasync", { code: "EIO" }],
];

for (const onFull of ["reject", "drop_oldest"] as const)
  for (const [what, operation, fault] of faults)
    test(`${onFull}: after ${what} the batch is refused, never delivered, and the next one is kept`, async () => {
      const disk = createMemoryDisk();
      const outbox = await openTestOutbox({ dir, files: disk, onFull });
      await outbox.append(batchOf('{"n":1}'));
      let calls = 0;
      disk.fault = (asked, path) => {
        if (asked !== operation || !isSegment(path)) return undefined;
        calls++;
        return fault && "shortBytes" in fault && calls === 1 ? { shortBytes: 10 } : fault;
      };
      const reason = await refusal(outbox.append(batchOf('{"n":"refused"}')));
      expect(outbox.problem()).toBe(reason);
      disk.fault = () => undefined;
      await outbox.append(batchOf('{"n":2}'));
      expect(outbox.problem()).toBeUndefined();
      expect(documentsOf(await outbox.reader("clickhouse").next(wideBounds))).toEqual(['{"n":1}', '{"n":2}']);
      await outbox.close();
      const after = await openTestOutbox({ dir, files: disk, onFull });
      expect(await drain(after.reader("clickhouse"))).toEqual(['{"n":1}', '{"n":2}']);
      expect(after.counts().damagedEvents).toBe(0);
    });

for (const [what, operation, fault] of faults)
  test(`drop_oldest: ${what} in a full outbox refuses the batch, and no dropped event is delivered or counted twice`, async () => {
    const disk = createMemoryDisk();
    const outbox = await openTestOutbox({
      dir,
      files: disk,
      onFull: "drop_oldest",
      maxBytes: 10_000,
      segmentBytes: 1500,
    });
    const documents = Array.from({ length: 20 }, (_, n) => String(n).padEnd(1000, "."));
    for (const document of documents.slice(0, 15)) await outbox.append(batchOf(document));
    disk.fault = (asked, path) => (asked === operation && isSegment(path) ? fault : undefined);
    await refusal(outbox.append(batchOf("refused".padEnd(1000, "."))));
    disk.fault = () => undefined;
    for (const document of documents.slice(15)) await outbox.append(batchOf(document));
    const delivered = await drain(outbox.reader("clickhouse"));
    expect(delivered.length).toBeGreaterThan(5);
    expect(delivered).toEqual(documents.slice(-delivered.length));
    expect(outbox.counts()).toMatchObject({
      appendedEvents: 20,
      droppedEvents: { clickhouse: 20 - delivered.length },
      damagedEvents: 0,
    });
  });

test("the reason names the file and the system's error", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  disk.fault = (operation) => (operation === "datasync" ? { code: "EIO" } : undefined);
  expect(await refusal(outbox.append(batchOf("{}")))).toMatch(
    /^outbox: cannot sync \/outbox\/0{19}1\.seg: EIO: /,
  );
});

test("after a failed sync nothing more is appended to that segment", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  await outbox.append(batchOf("{}"));
  disk.fault = (operation) => (operation === "datasync" ? { code: "EIO" } : undefined);
  await refusal(outbox.append(batchOf("{}")));
  disk.fault = () => undefined;
  const before = disk.calls.length;
  await outbox.append(batchOf("{}"));
  const written = disk.calls.slice(before).filter(({ operation }) => operation === "write");
  expect(new Set(written.map(({ path }) => path))).toEqual(new Set([`${dir}/00000000000000000003.seg`]));
});

test("a segment that could not be created hides no event that is kept later", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk, segmentBytes: 64 + 2 * frameBytes });
  await outbox.append(kilobyte(1));
  disk.fault = (operation) => (operation === "syncDirectory" ? { code: "ENOSPC" } : undefined);
  await refusal(outbox.append(batchOf("x".repeat(1500))));
  disk.fault = () => undefined;
  await outbox.append(batchOf('{"n":2}'));
  await outbox.close();
  const after = await openTestOutbox({ dir, files: disk });
  expect((await drain(after.reader("clickhouse"))).at(-1)).toBe('{"n":2}');
});

test("a refused batch whose bytes could be neither synced nor cut off is not delivered after a restart", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  await outbox.append(batchOf('{"n":1}'));
  disk.fault = (operation) =>
    operation === "datasync" || operation === "truncate" ? { code: "EIO" } : undefined;
  await refusal(outbox.append(batchOf('{"n":"refused"}')));
  disk.fault = () => undefined;
  await outbox.append(batchOf('{"n":2}'));
  await outbox.close();
  expect(disk.entries.get(`${dir}/00000000000000000001.seg`)?.content.includes("refused")).toBe(true);
  const after = await openTestOutbox({ dir, files: disk });
  expect(await drain(after.reader("clickhouse"))).toEqual(['{"n":1}', '{"n":2}']);
  expect(after.counts().damagedEvents).toBe(0);
});

test("a disk that fails for a long time does not leave many files", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  // Headers can be synced, frames cannot.
  disk.fault = (operation, path) =>
    operation === "datasync" && isSegment(path) && (disk.entries.get(path)?.content.length ?? 0) > 64
      ? { code: "EIO" }
      : undefined;
  for (let n = 0; n < 50; n++) await refusal(outbox.append(kilobyte(n)));
  disk.fault = () => undefined;
  await outbox.append(batchOf("{}"));
  await outbox.close();
  expect([...disk.entries.keys()].filter(isSegment).length).toBeLessThan(3);
});

test("the problem ends without a batch once the disk works again", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  disk.fault = (operation) => (operation === "write" ? { code: "ENOSPC" } : undefined);
  await refusal(outbox.append(batchOf("{}")));
  disk.fault = () => undefined;
  await until("the disk is tried again", () => outbox.problem() === undefined);
  await outbox.append(batchOf('{"n":1}'));
  expect(await drain(outbox.reader("clickhouse"))).toEqual(['{"n":1}']);
});

test("an outbox on a full disk opens and delivers its events, and keeps batches once there is room", async () => {
  const disk = createMemoryDisk();
  const before = await openTestOutbox({ dir, files: disk });
  await before.append(batchOf('{"n":1}'));
  await before.close();
  disk.fault = (operation) => (operation === "create" ? { code: "ENOSPC" } : undefined);
  const outbox = await openTestOutbox({ dir, files: disk });
  expect(outbox.problem()).toMatch(/ENOSPC/);
  expect(await drain(outbox.reader("clickhouse"))).toEqual(['{"n":1}']);
  disk.fault = () => undefined;
  await outbox.append(batchOf('{"n":2}'));
  expect(await drain(outbox.reader("clickhouse"))).toEqual(['{"n":2}']);
});

test("an outbox without any segment hands out nothing, and is drained", async () => {
  const disk = createMemoryDisk();
  disk.fault = (operation) => (operation === "create" ? { code: "ENOSPC" } : undefined);
  const outbox = await openTestOutbox({ dir, files: disk });
  const reader = outbox.reader("clickhouse");
  expect(outbox.counts().segments).toBe(0);
  expect(await reader.next(wideBounds)).toBeUndefined();
  expect(reader.waiting()).toEqual({ events: 0, bytes: 0, oldestReceivedAt: undefined });
});

test("no batch is handed out while the cursor cannot be written, and the same batch once it can", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  await outbox.append(batchOf('{"n":1}'));
  const reader = outbox.reader("clickhouse");
  disk.fault = (_, path) => (path.endsWith(".cursor") ? { code: "EIO" } : undefined);
  await expect(reader.next(wideBounds)).rejects.toThrow(
    /^outbox: cannot write the cursor of clickhouse: EIO/,
  );
  disk.fault = () => undefined;
  await expect(reader.acknowledge({ firstSequence: 1, lastSequence: 1, events: [] })).rejects.toThrow(/^BUG/);
  disk.calls.length = 0;
  const batch = await reader.next(wideBounds);
  // The border that could not be written is written now.
  expect(disk.calls.map(({ path }) => path)).toContain(`${dir}/cursors/clickhouse.cursor`);
  disk.fault = (_, path) => (path.endsWith(".cursor") ? { code: "EIO" } : undefined);
  if (batch) await expect(reader.acknowledge(batch)).rejects.toThrow(/EIO/);
  disk.fault = () => undefined;
  expect(await reader.next(wideBounds)).toEqual(batch);
  if (batch) await reader.acknowledge(batch);
  expect(await reader.next(wideBounds)).toBeUndefined();
});

test("events that cannot be read now are delivered once they can", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  await outbox.append(batchOf('{"n":1}'));
  disk.fault = (operation, path) => (operation === "open" && isSegment(path) ? { code: "EIO" } : undefined);
  const reader = outbox.reader("clickhouse");
  await expect(reader.next(wideBounds)).rejects.toThrow(
    /^outbox: cannot read the events for clickhouse: EIO/,
  );
  disk.fault = () => undefined;
  expect(await drain(reader)).toEqual(['{"n":1}']);
});

test("frames fill a segment up to its size and not beyond", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk, segmentBytes: 64 + 3 * frameBytes });
  for (let n = 0; n < 7; n++) await outbox.append(kilobyte(n));
  const sizes = [...disk.entries]
    .filter(([path]) => isSegment(path))
    .map(([, { content }]) => content.length);
  expect(sizes.map((size) => (size - 64) / frameBytes)).toEqual([3, 3, 1]);
});
