import { expect, test } from "bun:test";
import { createMemoryDisk, type MemoryDisk } from "./memory-disk.ts";
import { batchOf, drain, openTestOutbox } from "./outboxes.ts";

/* Segments that were delivered and are there again at the start, and files that cannot be read at all. */
const dir = "/outbox";
const segmentOf = (n: number) => `${dir}/${String(n).padStart(20, "0")}.seg`;
const document = (n: number) => `{"n":${n}}`;

/** Appends these events, each into a segment of its own, and delivers them up to one of them. */
async function fill(
  disk: MemoryDisk,
  { first, last, deliveredTo }: { first: number; last: number; deliveredTo: number },
): Promise<void> {
  const outbox = await openTestOutbox({ dir, files: disk, segmentBytes: 100 });
  const reader = outbox.reader("clickhouse");
  for (let n = first; n <= last; n++) await outbox.append(batchOf(document(n), document(n)));
  for (;;) {
    if (reader.waiting().events <= 2 * (last - deliveredTo)) break;
    const batch = await reader.next({ maxEvents: 2, maxBytes: 1000 });
    if (batch) await reader.acknowledge(batch);
  }
  await outbox.close();
}

function troubles({ log }: Awaited<ReturnType<typeof openTestOutbox>>) {
  return log.lines.filter(({ level }) => level === "error" || level === "warn");
}

test("a delivered segment that is restored is removed, and nothing counts as damaged", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk, segmentBytes: 100 });
  await outbox.append(batchOf(document(0), document(0)));
  const copy = Buffer.from(disk.entries.get(segmentOf(1))?.content ?? []);
  await outbox.close();
  await fill(disk, { first: 1, last: 8, deliveredTo: 7 });
  expect(disk.entries.has(segmentOf(1))).toBe(false);
  const restored = await disk.open(segmentOf(1), "create");
  await restored.write(copy, 0);
  const after = await openTestOutbox({ dir, files: disk });
  expect(after.counts().damagedEvents).toBe(0);
  expect(disk.entries.has(segmentOf(1))).toBe(false);
  expect(await drain(after.reader("clickhouse"))).toEqual([document(8), document(8)]);
  expect(troubles(after)).toEqual([]);
  expect(after.log.lines).toContainEqual({
    level: "info",
    message: "a delivered segment is still there; it is removed",
    fields: { segment: "00000000000000000001.seg" },
  });
});

test("segments whose removal failed are removed at the next start, and nothing counts as damaged", async () => {
  const disk = createMemoryDisk();
  disk.fault = (operation, path) =>
    operation === "remove" && path === segmentOf(3) ? { code: "EBUSY" } : undefined;
  await fill(disk, { first: 1, last: 8, deliveredTo: 7 });
  disk.fault = () => undefined;
  expect(disk.entries.has(segmentOf(3))).toBe(true);
  const after = await openTestOutbox({ dir, files: disk });
  expect([after.counts().damagedEvents, disk.entries.has(segmentOf(3))]).toEqual([0, false]);
  expect(troubles(after)).toEqual([]);
});

test("a segment that is not delivered to an output without a cursor is not taken for a delivered one", async () => {
  const disk = createMemoryDisk();
  await fill(disk, { first: 1, last: 3, deliveredTo: 0 });
  const outbox = await openTestOutbox({ dir, files: disk, outputs: ["clickhouse", "new"] });
  await drain(outbox.reader("clickhouse"));
  await outbox.close();
  await disk.remove(`${dir}/cursors/new.cursor`);
  const after = await openTestOutbox({ dir, files: disk, outputs: ["clickhouse", "new"] });
  expect(await drain(after.reader("new"))).toEqual([1, 1, 2, 2, 3, 3].map(document));
});

test("an ordinary restart after everything was delivered says nothing of segments", async () => {
  const disk = createMemoryDisk();
  await fill(disk, { first: 1, last: 3, deliveredTo: 3 });
  for (let restart = 0; restart < 3; restart++) {
    const outbox = await openTestOutbox({ dir, files: disk });
    expect(outbox.log.lines).toEqual([]);
    await outbox.close();
  }
});

for (const [place, path, deliveredTo, damaged] of [
  ["first, undelivered", segmentOf(1), 0, 2],
  ["first, delivered in part", segmentOf(3), 1, 2],
  ["middle", segmentOf(3), 0, 2],
] as const)
  test(`the events of an unreadable file count as damaged when it is moved to damaged/ (${place})`, async () => {
    const disk = createMemoryDisk();
    await fill(disk, { first: 1, last: 4, deliveredTo });
    disk.fault = (operation, opened) =>
      operation === "open" && opened === path ? { code: "EIO" } : undefined;
    const outbox = await openTestOutbox({ dir, files: disk });
    expect(outbox.counts().damagedEvents).toBe(damaged);
    expect(await drain(outbox.reader("clickhouse"))).toHaveLength(8 - 2 * deliveredTo - damaged);
    expect(disk.entries.has(path)).toBe(false);
  });

test("of the last file, those events count as damaged that were handed out", async () => {
  const disk = createMemoryDisk();
  const before = await openTestOutbox({ dir, files: disk });
  for (let n = 1; n <= 5; n++) await before.append(batchOf(document(n)));
  await before.reader("clickhouse").next({ maxEvents: 3, maxBytes: 1000 });
  await before.close();
  disk.fault = (operation, path) =>
    operation === "open" && path === segmentOf(1) ? { code: "EIO" } : undefined;
  const outbox = await openTestOutbox({ dir, files: disk });
  expect(outbox.counts().damagedEvents).toBe(3);
});
