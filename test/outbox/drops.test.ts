import { expect, test } from "bun:test";
import type { OutboxCursor } from "../../server/outbox/reader.ts";
import type { OutboxReader } from "../../server/pipeline.ts";
import { createMemoryDisk, holdNext, type MemoryDisk } from "./memory-disk.ts";
import { batchOf, documentsOf, drain, openTestOutbox, wideBounds } from "./outboxes.ts";

/*
 * A full outbox drops its oldest segment while a reader waits for the disk. Every segment here holds two events, and the
 * outbox has room for four segments.
 */
const dir = "/outbox";
const output = "clickhouse";
const two = { maxEvents: 2, maxBytes: 1_000_000 };
const segmentPath = (firstSequence: number) => `${dir}/${String(firstSequence).padStart(20, "0")}.seg`;
const document = (n: number) => String(n).padEnd(500, ".");
const numbersOf = (documents: readonly string[]) => documents.map((text) => Number.parseInt(text, 10));

/** An outbox with the events 1 to 8, which is full: the next two events drop the oldest two. */
async function fullOutbox(disk: MemoryDisk) {
  const outbox = await openTestOutbox({
    dir,
    files: disk,
    maxBytes: 5000,
    segmentBytes: 500,
    onFull: "drop_oldest",
    outputs: [output],
  });
  const append = (n: number) => outbox.append(batchOf(document(n), document(n + 1)));
  for (const n of [1, 3, 5, 7]) await append(n);
  expect(outbox.counts().droppedEvents).toEqual({ [output]: 0 });
  return { outbox, reader: outbox.reader(output) as OutboxCursor, append };
}

function dropped({ outbox }: Awaited<ReturnType<typeof fullOutbox>>): number | undefined {
  return outbox.counts().droppedEvents[output];
}

async function drainNumbers(reader: OutboxReader): Promise<readonly number[]> {
  return numbersOf(await drain(reader));
}

test("a segment that is dropped while it is read is not handed out", async () => {
  const disk = createMemoryDisk();
  const full = await fullOutbox(disk);
  const read = holdNext(disk, "read", segmentPath(1));
  const next = full.reader.next(two);
  await read.reached;
  await full.append(9);
  read.release();
  expect(numbersOf(documentsOf(await next))).toEqual([3, 4]);
  expect([dropped(full), full.reader.waiting().events]).toEqual([2, 8]);
});

test("a segment that is removed before it can be opened is not an error", async () => {
  const disk = createMemoryDisk();
  const full = await fullOutbox(disk);
  const open = holdNext(disk, "open", segmentPath(1));
  const next = full.reader.next(two);
  await open.reached;
  await full.append(9);
  open.release();
  expect(numbersOf(documentsOf(await next))).toEqual([3, 4]);
  expect([dropped(full), full.reader.waiting().events]).toEqual([2, 8]);
});

test("a segment that cannot be read is still an error after an earlier drop", async () => {
  const disk = createMemoryDisk();
  const full = await fullOutbox(disk);
  await full.append(9);
  disk.fault = (operation) => (operation === "open" ? { code: "EIO" } : undefined);
  await expect(full.reader.next(two)).rejects.toThrow(/^outbox: cannot read the events for clickhouse: EIO/);
});

test("a batch that is dropped while its border is written is in flight, and delivered if it is acknowledged", async () => {
  const disk = createMemoryDisk();
  const full = await fullOutbox(disk);
  const sync = holdNext(disk, "datasync", ".cursor");
  const next = full.reader.next(two);
  await sync.reached;
  await full.append(9);
  expect([dropped(full), full.reader.waiting().events]).toEqual([0, 10]);
  sync.release();
  const batch = await next;
  expect(numbersOf(documentsOf(batch))).toEqual([1, 2]);
  if (batch) await full.reader.acknowledge(batch);
  expect([dropped(full), full.reader.waiting().events]).toEqual([0, 8]);
  expect(await drainNumbers(full.reader)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
});

test("a batch whose border could not be written after a drop is dropped, and delivery continues after it", async () => {
  const disk = createMemoryDisk();
  const full = await fullOutbox(disk);
  const sync = holdNext(disk, "datasync", ".cursor");
  const next = full.reader.next(two);
  await sync.reached;
  await full.append(9);
  disk.fault = (_, path) => (path.endsWith(".cursor") ? { code: "EIO" } : undefined);
  sync.release();
  await expect(next).rejects.toThrow(/^outbox: cannot write the cursor of clickhouse: EIO/);
  expect(full.reader.position).toBe(3);
  disk.fault = () => undefined;
  await full.append(11);
  // Events 3 and 4 were handed out to nobody.
  expect([dropped(full), full.reader.waiting().events]).toEqual([2, 10]);
  expect(await drainNumbers(full.reader)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
  expect(dropped(full)).toBe(4);
});

test("the position does not go back when a drop overtakes an acknowledgement", async () => {
  const disk = createMemoryDisk();
  const full = await fullOutbox(disk);
  const batch = await full.reader.next(two);
  if (!batch) throw new Error("nothing was handed out");
  const sync = holdNext(disk, "datasync", ".cursor");
  const acknowledgement = full.reader.acknowledge(batch);
  await sync.reached;
  await full.append(9);
  await full.append(11);
  sync.release();
  await acknowledgement;
  expect([dropped(full), full.reader.waiting().events, full.reader.position]).toEqual([2, 8, 5]);
  expect(await drainNumbers(full.reader)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
});

test("the acknowledgement of a batch that was dropped as a whole does not move the cursor back", async () => {
  const disk = createMemoryDisk();
  const full = await fullOutbox(disk);
  const batch = await full.reader.next(two);
  if (!batch) throw new Error("nothing was handed out");
  await full.append(9);
  await full.append(11);
  disk.calls.length = 0;
  await full.reader.acknowledge(batch);
  expect(disk.calls.filter(({ path }) => path.endsWith(".cursor"))).toEqual([]);
  expect([dropped(full), full.reader.waiting().events]).toEqual([2, 8]);
});

test("an acknowledgement that fails after a drop leaves the batch undecided until it is repeated", async () => {
  const disk = createMemoryDisk();
  const full = await fullOutbox(disk);
  const batch = await full.reader.next(two);
  if (!batch) throw new Error("nothing was handed out");
  const sync = holdNext(disk, "datasync", ".cursor");
  const acknowledgement = full.reader.acknowledge(batch);
  await sync.reached;
  await full.append(9);
  disk.fault = (_, path) => (path.endsWith(".cursor") ? { code: "EIO" } : undefined);
  sync.release();
  await expect(acknowledgement).rejects.toThrow(/EIO/);
  disk.fault = () => undefined;
  expect([dropped(full), full.reader.waiting().events]).toEqual([0, 10]);
  await full.reader.acknowledge(batch);
  expect([dropped(full), full.reader.waiting().events]).toEqual([0, 8]);
});

test("a batch that is dropped in part while it is taken back is replaced by one with a border of its own", async () => {
  const disk = createMemoryDisk();
  const full = await fullOutbox(disk);
  const batch = await full.reader.next({ maxEvents: 5, maxBytes: 1_000_000 });
  if (!batch) throw new Error("nothing was handed out");
  const sync = holdNext(disk, "datasync", ".cursor");
  const takingBack = full.reader.takeBack(batch);
  await sync.reached;
  await full.append(9);
  sync.release();
  await takingBack;
  // The output received none of the batch, so the dropped part of it is decided.
  expect([dropped(full), full.reader.waiting().events]).toEqual([2, 8]);
  disk.calls.length = 0;
  expect(numbersOf(documentsOf(await full.reader.next(wideBounds)))).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  expect(disk.calls.map(({ path }) => path)).toContain(`${dir}/cursors/${output}.cursor`);
  expect([dropped(full), full.reader.waiting().events]).toEqual([2, 8]);
});

test("damage in a segment that is dropped while it is read counts as dropped only", async () => {
  const disk = createMemoryDisk();
  const full = await fullOutbox(disk);
  const inode = disk.entries.get(segmentPath(1));
  if (!inode) throw new Error("no segment");
  inode.content = Buffer.from(inode.content).fill(0, 80);
  const read = holdNext(disk, "read", segmentPath(1));
  const next = full.reader.next(two);
  await read.reached;
  await full.append(9);
  read.release();
  expect(numbersOf(documentsOf(await next))).toEqual([3, 4]);
  expect(full.outbox.counts()).toMatchObject({ damagedEvents: 0, droppedEvents: { [output]: 2 } });
});

test("of a batch in flight that is dropped in part, the rest is handed out with the same end", async () => {
  const disk = createMemoryDisk();
  const full = await fullOutbox(disk);
  const batch = await full.reader.next({ maxEvents: 5, maxBytes: 1_000_000 });
  expect(numbersOf(documentsOf(batch))).toEqual([1, 2, 3, 4, 5]);
  await full.append(9);
  expect([dropped(full), full.reader.waiting().events]).toEqual([0, 10]);
  const rest = await full.reader.next(wideBounds);
  expect(numbersOf(documentsOf(rest))).toEqual([3, 4, 5]);
  expect([dropped(full), full.reader.waiting().events]).toEqual([2, 8]);
});

test("after a drop the oldest pending event is the first of the next segment", async () => {
  let now = 0;
  const outbox = await openTestOutbox({
    dir,
    files: createMemoryDisk(),
    maxBytes: 5000,
    segmentBytes: 500,
    onFull: "drop_oldest",
    now: () => ++now * 1000,
  });
  const received: number[] = [];
  for (let n = 1; n <= 12; n++) {
    received.push(now * 1000 + 1000);
    await outbox.append(batchOf(document(n), document(n)));
    // A new segment's header takes the time too.
    const { events, oldestReceivedAt } = outbox.reader(output).waiting();
    expect(oldestReceivedAt).toBe(received[n - events / 2]);
  }
  expect(outbox.counts().droppedEvents[output]).toBeGreaterThan(10);
});
