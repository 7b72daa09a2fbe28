import { expect, test } from "bun:test";
import { readdirSync, renameSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { StoredBatch } from "../../server/pipeline.ts";
import { createMemoryDisk, type MemoryDisk } from "./memory-disk.ts";
import { batchOf, documentsOf, drain, openTestOutbox, temporaryFolder, wideBounds } from "./outboxes.ts";

/*
 * Segments that are removed, truncated or unreadable while the outbox is open. The rest is delivered, the hole is counted,
 * and the ledger of each output balances.
 */
const dir = "/outbox";
const pageBytes = 4096;
const both = ["clickhouse", "elasticsearch"];
const segmentOf = (n: number) => `${dir}/${String(n).padStart(20, "0")}.seg`;
const document = (n: number) => `{"n":${n}}`;
/** An event of three pages, so that a failing page is within one frame. */
const large = (n: number) => `{"n":${n},"x":"${"x".repeat(3 * pageBytes)}"}`;

type Opened = Awaited<ReturnType<typeof openTestOutbox>>;

/** An outbox with segments of two events each: 1 and 2, 3 and 4, 5 and 6, ... */
async function withSegments(count: number, files: MemoryDisk, outputs = ["clickhouse"]): Promise<Opened> {
  const outbox = await openTestOutbox({ dir, files, outputs, segmentBytes: 100 });
  for (let n = 1; n <= 2 * count; n += 2) await outbox.append(batchOf(document(n), document(n + 1)));
  return outbox;
}

function damageLines({ log }: Opened) {
  return log.lines.filter(({ level }) => level === "error").map(({ fields }) => fields);
}

/** Calls `next` until it does not fail. @returns how often it failed */
async function failuresOf(outbox: Opened): Promise<{ failures: number; batch: StoredBatch | undefined }> {
  for (let failures = 0; failures < 40; failures++) {
    try {
      return { failures, batch: await outbox.reader("clickhouse").next(wideBounds) };
    } catch (error) {
      expect(String(error)).toContain("outbox: cannot read the events for clickhouse: ");
    }
  }
  throw new Error("the output is blocked");
}

test("the events of a segment that is removed while the outbox is open count as damaged, and the others are delivered", async () => {
  const disk = createMemoryDisk();
  const outbox = await withSegments(3, disk);
  await disk.remove(segmentOf(3));
  expect(await drain(outbox.reader("clickhouse"))).toEqual([1, 2, 5, 6].map(document));
  expect(outbox.counts()).toMatchObject({ damagedEvents: 2, skippedEvents: { clickhouse: 2 } });
  expect(outbox.reader("clickhouse").waiting().events).toBe(0);
  expect(damageLines(outbox)).toEqual([
    { segment: "00000000000000000003.seg", events: 2, reason: "the file is missing" },
  ]);
});

test("all segments may be removed, and later events are delivered", async () => {
  const disk = createMemoryDisk();
  const outbox = await withSegments(3, disk);
  for (const path of [...disk.entries.keys()]) if (path.endsWith(".seg")) await disk.remove(path);
  expect(await drain(outbox.reader("clickhouse"))).toEqual([]);
  expect(outbox.counts().damagedEvents).toBe(6);
  await outbox.append(batchOf(document(7)));
  expect(await drain(outbox.reader("clickhouse"))).toEqual([document(7)]);
});

test("a batch in flight whose segment is removed is delivered, and counts as damaged only for the output that did not read it", async () => {
  const disk = createMemoryDisk();
  const outbox = await withSegments(2, disk, both);
  const reader = outbox.reader("clickhouse");
  const batch = await reader.next({ maxEvents: 2, maxBytes: 1000 });
  await disk.remove(segmentOf(1));
  expect(await drain(outbox.reader("elasticsearch"))).toEqual([3, 4].map(document));
  expect(reader.waiting().events).toBe(4);
  if (batch) await reader.acknowledge(batch);
  expect(await drain(reader)).toEqual([3, 4].map(document));
  expect(outbox.counts()).toMatchObject({
    damagedEvents: 2,
    skippedEvents: { clickhouse: 0, elasticsearch: 2 },
  });
});

test("outputs that meet the same hole each count it, and the outbox counts it once", async () => {
  const disk = createMemoryDisk();
  const outbox = await withSegments(3, disk, both);
  await disk.remove(segmentOf(3));
  for (const output of both) await drain(outbox.reader(output));
  expect(outbox.counts()).toMatchObject({
    damagedEvents: 2,
    skippedEvents: { clickhouse: 2, elasticsearch: 2 },
  });
  expect(damageLines(outbox)).toHaveLength(1);
});

test("damaged events are pending until the events after them are acknowledged", async () => {
  const disk = createMemoryDisk();
  const outbox = await withSegments(2, disk);
  await disk.remove(segmentOf(1));
  const reader = outbox.reader("clickhouse");
  const batch = await reader.next(wideBounds);
  expect([reader.waiting().events, outbox.counts().damagedEvents]).toEqual([4, 0]);
  const atAcknowledgement: unknown[] = [];
  if (batch)
    await reader.acknowledge(batch, () =>
      atAcknowledgement.push(reader.waiting().events, outbox.counts().skippedEvents),
    );
  expect(atAcknowledgement).toEqual([0, { clickhouse: 2 }]);
});

test("a segment that is there again before it was passed is delivered", async () => {
  const disk = createMemoryDisk();
  const outbox = await withSegments(2, disk);
  const removed = disk.entries.get(segmentOf(1))?.content;
  await disk.remove(segmentOf(1));
  const reader = outbox.reader("clickhouse");
  const batch = await reader.next(wideBounds);
  expect(documentsOf(batch)).toEqual([3, 4].map(document));
  if (batch) await reader.takeBack(batch);
  const restored = await disk.open(segmentOf(1), "create");
  await restored.write(removed ?? Buffer.alloc(0), 0);
  expect(await drain(reader)).toEqual([1, 2, 3, 4].map(document));
  expect(outbox.counts().damagedEvents).toBe(0);
});

test("a segment of another number in the place of one is not delivered", async () => {
  const disk = createMemoryDisk();
  const outbox = await withSegments(3, disk);
  const [first, third] = [disk.entries.get(segmentOf(1)), disk.entries.get(segmentOf(5))];
  if (first && third) first.content = third.content;
  expect(await drain(outbox.reader("clickhouse"))).toEqual([3, 4, 5, 6].map(document));
  expect(outbox.counts().damagedEvents).toBe(2);
});

test("the missing frames of a truncated segment count as damaged", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  for (let n = 1; n <= 5; n++) await outbox.append(batchOf(document(n)));
  const inode = disk.entries.get(segmentOf(1));
  if (!inode) throw new Error("no segment");
  const frameBytes = (inode.content.length - 64) / 5;
  inode.content = inode.content.subarray(0, 64 + 2 * frameBytes + 10);
  expect(await drain(outbox.reader("clickhouse"))).toEqual([1, 2].map(document));
  expect(damageLines(outbox)).toEqual([
    { segment: "00000000000000000001.seg", events: 3, reason: "the file was truncated" },
  ]);
  await outbox.append(batchOf(document(6)));
  expect(await drain(outbox.reader("clickhouse"))).toEqual([document(6)]);
  expect(outbox.counts()).toMatchObject({ damagedEvents: 3, skippedEvents: { clickhouse: 3 } });
});

test("a page that the disk cannot read is tried five times, and only the events on it are damaged", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  for (let n = 1; n <= 9; n++) await outbox.append(batchOf(large(n)));
  const badPage = 10 * pageBytes;
  disk.fault = (operation, path, bytes, position) =>
    operation === "read" && path.endsWith(".seg") && position <= badPage && position + bytes > badPage
      ? { code: "EIO" }
      : undefined;
  const { failures, batch } = await failuresOf(outbox);
  expect(failures).toBe(4);
  expect(documentsOf(batch)).toEqual([1, 2, 3, 5, 6, 7, 8, 9].map(large));
  if (batch) await outbox.reader("clickhouse").acknowledge(batch);
  expect(damageLines(outbox)).toEqual([
    { segment: "00000000000000000001.seg", events: 1, reason: "EIO: injected fault, read" },
  ]);
});

test("a disk that reads again before the last attempt loses nothing", async () => {
  const disk = createMemoryDisk();
  const outbox = await withSegments(3, disk);
  let faults = 4;
  disk.fault = (operation) => (operation === "read" && faults-- > 0 ? { code: "EIO" } : undefined);
  await failuresOf(outbox);
  expect(await drain(outbox.reader("clickhouse"))).toEqual([1, 2, 3, 4, 5, 6].map(document));
  expect(outbox.counts().damagedEvents).toBe(0);
});

for (const code of ["EIO", "ENXIO", "ESTALE"])
  test(`a segment that cannot be opened (${code}) is tried five times, and then its events are damaged`, async () => {
    const disk = createMemoryDisk();
    const outbox = await withSegments(3, disk);
    disk.fault = (operation, path) => (operation === "open" && path === segmentOf(3) ? { code } : undefined);
    const { failures, batch } = await failuresOf(outbox);
    expect([failures, documentsOf(batch)]).toEqual([4, [1, 2, 5, 6].map(document)]);
  });

test("a process without free descriptors, memory or permission waits for them", async () => {
  const disk = createMemoryDisk();
  const outbox = await withSegments(3, disk);
  const codes = ["EMFILE", "ENFILE", "ENOMEM", "EACCES", "EPERM"].flatMap((code) =>
    Array.from({ length: 6 }, () => code),
  );
  disk.fault = (operation) => {
    const code = operation === "open" ? codes.pop() : undefined;
    return code === undefined ? undefined : { code };
  };
  expect((await failuresOf(outbox)).failures).toBe(30);
  expect(await drain(outbox.reader("clickhouse"))).toEqual([1, 2, 3, 4, 5, 6].map(document));
});

test("with real files, segments that are removed or truncated are skipped", async () => {
  using folder = temporaryFolder();
  const outbox = await openTestOutbox({ dir: folder.path, outputs: both, segmentBytes: 100 });
  for (let n = 1; n <= 5; n++) await outbox.append(batchOf(document(n)));
  const names = readdirSync(folder.path)
    .filter((name) => name.endsWith(".seg"))
    .sort();
  const [, second, third] = names.map((name) => join(folder.path, name));
  rmSync(second ?? "");
  truncateSync(third ?? "", 70);
  for (const output of both) expect(await drain(outbox.reader(output))).toEqual([1, 4, 5].map(document));
  expect(outbox.counts()).toMatchObject({
    damagedEvents: 2,
    skippedEvents: { clickhouse: 2, elasticsearch: 2 },
  });
  expect(damageLines(outbox).map(({ reason }) => reason)).toEqual([
    "the file is missing",
    "the file was truncated",
  ]);
  await outbox.close();
});

test("with real files, no event is skipped while the directory is moved away", async () => {
  using folder = temporaryFolder();
  const outboxFolder = join(folder.path, "outbox");
  const outbox = await openTestOutbox({ dir: outboxFolder, segmentBytes: 100 });
  for (let n = 1; n <= 3; n++) await outbox.append(batchOf(document(n)));
  renameSync(outboxFolder, `${outboxFolder}.old`);
  for (let attempt = 0; attempt < 7; attempt++)
    await expect(outbox.reader("clickhouse").next(wideBounds)).rejects.toThrow(
      "and the directory that it was in are missing",
    );
  renameSync(`${outboxFolder}.old`, outboxFolder);
  expect(await drain(outbox.reader("clickhouse"))).toEqual([1, 2, 3].map(document));
  await outbox.close();
});
