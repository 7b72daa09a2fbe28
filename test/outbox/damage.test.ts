import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRandom } from "../support/random.ts";
import { until } from "../support/until.ts";
import { createMemoryDisk, type MemoryDisk } from "./memory-disk.ts";
import { batchOf, drain, openTestOutbox, temporaryFolder, wideBounds } from "./outboxes.ts";

const dir = "/outbox";
const segment = `${dir}/00000000000000000001.seg`;
const cursor = `${dir}/cursors/clickhouse.cursor`;
const headerBytes = 64;
const frames = [batchOf('{"n":1}', '{"n":2}'), batchOf('{"n":3}', '{"n":4}'), batchOf('{"n":5}', '{"n":6}')];
const frameBytes = 40 + "spip-001\n".length + 16;
const all = [1, 2, 3, 4, 5, 6].map((n) => `{"n":${n}}`);
const middle = { start: headerBytes + frameBytes, end: headerBytes + 2 * frameBytes };

/** An outbox that was closed with three frames of two events each in one segment. */
async function diskWithThreeFrames(): Promise<MemoryDisk> {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  for (const batch of frames) await outbox.append(batch);
  await outbox.close();
  expect(contentOf(disk, segment)).toHaveLength(headerBytes + 3 * frameBytes);
  return disk;
}

function contentOf(disk: MemoryDisk, path: string): Buffer {
  const inode = disk.entries.get(path);
  if (!inode) throw new Error(`there is no ${path}`);
  return inode.content;
}

function replace(disk: MemoryDisk, path: string, content: Buffer): void {
  const inode = disk.entries.get(path);
  if (!inode) throw new Error(`there is no ${path}`);
  inode.content = content;
}

async function put(disk: MemoryDisk, path: string, content: Buffer): Promise<void> {
  const file = await disk.open(path, "create");
  await file.write(content, 0);
}

function flipped(content: Buffer, offset: number, mask: number): Buffer {
  const copy = Buffer.from(content);
  copy[offset] = (copy[offset] ?? 0) ^ mask;
  return copy;
}

/** Acknowledges this many events, one by one. */
async function acknowledge(disk: MemoryDisk, count: number): Promise<void> {
  const outbox = await openTestOutbox({ dir, files: disk });
  const reader = outbox.reader("clickhouse");
  for (let n = 0; n < count; n++) {
    const batch = await reader.next({ maxEvents: 1, maxBytes: 1000 });
    if (batch) await reader.acknowledge(batch);
  }
  await outbox.close();
}

test("a last frame that ends at any of its bytes is cut off, and its sequence numbers are not used again", async () => {
  const intact = await diskWithThreeFrames();
  const whole = contentOf(intact, segment);
  for (let size = middle.end; size < whole.length; size++) {
    const disk = await diskWithThreeFrames();
    replace(disk, segment, whole.subarray(0, size));
    const outbox = await openTestOutbox({ dir, files: disk });
    expect(contentOf(disk, segment)).toHaveLength(middle.end);
    expect(outbox.counts().damagedEvents).toBe(0);
    await outbox.append(batchOf('{"n":"new"}'));
    const batch = await outbox.reader("clickhouse").next(wideBounds);
    expect(batch?.events.map(({ document }) => document.toString())).toEqual([
      ...all.slice(0, 4),
      '{"n":"new"}',
    ]);
    const cutEvents = Math.ceil((size - middle.end) / 3);
    expect(batch?.lastSequence).toBe(5 + cutEvents);
  }
});

test("a middle frame with any byte changed is skipped, counted and copied to damaged/, and the others stay", async () => {
  const random = createRandom(3);
  for (let offset = middle.start; offset < middle.end; offset++) {
    const disk = await diskWithThreeFrames();
    replace(disk, segment, flipped(contentOf(disk, segment), offset, 1 + random.below(255)));
    const damagedBytes = contentOf(disk, segment).subarray(middle.start, middle.end);
    const outbox = await openTestOutbox({ dir, files: disk });
    expect(outbox.counts().damagedEvents).toBe(2);
    expect(outbox.reader("clickhouse").waiting().events).toBe(4);
    expect(contentOf(disk, `${dir}/damaged/00000000000000000001.seg-${middle.start}`)).toEqual(damagedBytes);
    const batch = await outbox.reader("clickhouse").next(wideBounds);
    expect(batch?.events.map(({ sequence }) => sequence)).toEqual([1, 2, 5, 6]);
  }
});

test("a last frame with any byte changed is cut off and copied to damaged/, and its sequence numbers are not used again", async () => {
  for (let offset = middle.end; offset < middle.end + frameBytes; offset++) {
    const disk = await diskWithThreeFrames();
    replace(disk, segment, flipped(contentOf(disk, segment), offset, 0x10));
    const outbox = await openTestOutbox({ dir, files: disk });
    expect(disk.entries.has(`${dir}/damaged/00000000000000000001.seg-${middle.end}`)).toBe(true);
    expect(contentOf(disk, segment)).toHaveLength(middle.end);
    await outbox.append(batchOf("{}"));
    const batch = await outbox.reader("clickhouse").next(wideBounds);
    expect(batch?.events).toHaveLength(5);
    expect(batch?.lastSequence).toBeGreaterThan(6);
  }
});

test("a segment whose header has any byte changed loses no event", async () => {
  for (let offset = 0; offset < headerBytes; offset++) {
    const disk = await diskWithThreeFrames();
    const { id } = await openTestOutbox({ dir, files: disk });
    replace(disk, segment, flipped(contentOf(disk, segment), offset, 0x10));
    const outbox = await openTestOutbox({ dir, files: disk });
    expect(await drain(outbox.reader("clickhouse"))).toEqual(all);
    expect(outbox.id).toBe(id);
  }
});

test("an event with the bytes of a frame in it is not read as a frame", async () => {
  const disk = createMemoryDisk();
  const before = await openTestOutbox({ dir, files: disk });
  await before.append(batchOf("{}"));
  // The frame of another outbox as text, as a sensor may send it: its latin1 bytes become UTF-8.
  const frame = contentOf(await diskWithThreeFrames(), segment).toString("latin1", headerBytes, middle.start);
  await before.append(batchOf(JSON.stringify(frame), "{}"));
  await before.append(batchOf('{"n":"last"}'));
  await before.close();
  const start = headerBytes + 40 + "spip-001\n{}\n".length;
  replace(disk, segment, flipped(contentOf(disk, segment), start + 9, 1));
  const outbox = await openTestOutbox({ dir, files: disk });
  expect(await drain(outbox.reader("clickhouse"))).toEqual(["{}", '{"n":"last"}']);
});

test("damage that occurs while the outbox is open is skipped by every output and counted once", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk, outputs: ["clickhouse", "elasticsearch"] });
  for (const batch of frames) await outbox.append(batch);
  replace(disk, segment, flipped(contentOf(disk, segment), middle.start + 60, 1));
  const expected = [...all.slice(0, 2), ...all.slice(4)];
  const damagedBytes = contentOf(disk, segment).subarray(middle.start, middle.end);
  expect(await drain(outbox.reader("clickhouse"))).toEqual(expected);
  expect(await drain(outbox.reader("elasticsearch"))).toEqual(expected);
  expect(outbox.counts().damagedEvents).toBe(2);
  expect(outbox.reader("elasticsearch").waiting().events).toBe(0);
  await outbox.close();
  expect(contentOf(disk, `${dir}/damaged/00000000000000000001.seg-${middle.start}`)).toEqual(damagedBytes);
});

test("a segment without a readable frame is removed like a delivered one", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk, segmentBytes: 100 });
  for (const batch of frames) await outbox.append(batch);
  replace(disk, segment, Buffer.alloc(contentOf(disk, segment).length));
  expect(await drain(outbox.reader("clickhouse"))).toEqual(all.slice(2));
  expect(outbox.counts().segments).toBe(1);
});

test("a segment of which the last pending events are damaged is removed", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk, segmentBytes: 100 });
  await outbox.append(batchOf('{"n":1}', '{"n":2}'));
  await until("a new segment is started", () => outbox.counts().segments === 2);
  replace(disk, segment, Buffer.alloc(contentOf(disk, segment).length));
  const reader = outbox.reader("clickhouse");
  expect(await reader.next(wideBounds)).toBeUndefined();
  expect(reader.waiting()).toEqual({ events: 0, bytes: 0, oldestReceivedAt: undefined });
  await outbox.close();
  expect(disk.entries.has(segment)).toBe(false);
  expect(outbox.counts()).toMatchObject({ segments: 1, damagedEvents: 2 });
});

test("a batch in flight of which no event can be read any more is skipped", async () => {
  const disk = await diskWithThreeFrames();
  const before = await openTestOutbox({ dir, files: disk });
  await before.reader("clickhouse").next({ maxEvents: 2, maxBytes: 1000 });
  await before.close();
  replace(disk, segment, flipped(contentOf(disk, segment), headerBytes + 50, 1));
  const outbox = await openTestOutbox({ dir, files: disk });
  expect(await drain(outbox.reader("clickhouse"))).toEqual(all.slice(2));
  expect(outbox.reader("clickhouse").waiting().events).toBe(0);
});

test("the events of a missing segment are counted as damaged, and the others are delivered", async () => {
  const disk = createMemoryDisk();
  const before = await openTestOutbox({ dir, files: disk, segmentBytes: 100 });
  for (const batch of frames) await before.append(batch);
  await before.close();
  await disk.remove(`${dir}/00000000000000000003.seg`);
  const outbox = await openTestOutbox({ dir, files: disk });
  expect(await drain(outbox.reader("clickhouse"))).toEqual([...all.slice(0, 2), ...all.slice(4)]);
  expect(outbox.counts().damagedEvents).toBe(2);
});

test("sequence numbers continue at the cursor after all segments were removed by hand", async () => {
  const disk = await diskWithThreeFrames();
  await acknowledge(disk, 6);
  for (const path of [...disk.entries.keys()]) if (path.endsWith(".seg")) await disk.remove(path);
  const outbox = await openTestOutbox({ dir, files: disk });
  await outbox.append(batchOf("{}"));
  expect((await outbox.reader("clickhouse").next(wideBounds))?.firstSequence).toBe(7);
});

test("an outbox of which no file is left gets a new id", async () => {
  const disk = await diskWithThreeFrames();
  const { id } = await openTestOutbox({ dir, files: disk });
  for (const path of [...disk.entries.keys()]) await disk.remove(path);
  expect((await openTestOutbox({ dir, files: disk })).id).not.toBe(id);
});

const ruinedCursors: readonly (readonly [string, (content: Buffer) => Buffer])[] = [
  ["zeroed", (content) => Buffer.alloc(content.length)],
  ["emptied", () => Buffer.alloc(0)],
  ["of garbage", (content) => Buffer.alloc(content.length, "garbage\xff")],
];

for (const [what, ruin] of ruinedCursors)
  test(`an output whose cursor is ${what} starts at the oldest event`, async () => {
    const disk = await diskWithThreeFrames();
    await acknowledge(disk, 3);
    replace(disk, cursor, ruin(contentOf(disk, cursor)));
    const outbox = await openTestOutbox({ dir, files: disk });
    expect(outbox.log.lines.map(({ message }) => message)).toContain(
      "a cursor is damaged; the output starts at the oldest event",
    );
    expect(await drain(outbox.reader("clickhouse"))).toEqual(all);
  });

test("an output whose cursor was deleted starts at the oldest event", async () => {
  const disk = await diskWithThreeFrames();
  await acknowledge(disk, 3);
  await disk.remove(cursor);
  const outbox = await openTestOutbox({ dir, files: disk });
  expect(await drain(outbox.reader("clickhouse"))).toEqual(all);
});

test("an output whose cursor is from an older run starts where it was then", async () => {
  const disk = await diskWithThreeFrames();
  await acknowledge(disk, 2);
  const old = Buffer.from(contentOf(disk, cursor));
  await acknowledge(disk, 3);
  replace(disk, cursor, old);
  const outbox = await openTestOutbox({ dir, files: disk });
  expect(await drain(outbox.reader("clickhouse"))).toEqual(all.slice(2));
});

test("the older slot of a cursor counts if any byte of the newer one is damaged", async () => {
  const disk = await diskWithThreeFrames();
  await acknowledge(disk, 2);
  const intact = Buffer.from(contentOf(disk, cursor));
  const generation = (at: number) => intact.readBigUInt64LE(at + 32);
  const newest = generation(0) > generation(4096) ? 0 : 4096;
  for (let offset = newest; offset < newest + 64; offset++) {
    replace(disk, cursor, flipped(intact, offset, 0x20));
    const outbox = await openTestOutbox({ dir, files: disk });
    // The write before the last acknowledgement was the border of that batch.
    expect(
      (await outbox.reader("clickhouse").next(wideBounds))?.events.map(({ sequence }) => sequence),
    ).toEqual([2]);
    await outbox.close();
  }
});

test("a cursor of another outbox is ignored", async () => {
  const other = await diskWithThreeFrames();
  await acknowledge(other, 6);
  const disk = createMemoryDisk();
  const before = await openTestOutbox({ dir, files: disk, segmentBytes: 100 });
  for (const batch of frames) await before.append(batch);
  await before.close();
  replace(disk, cursor, contentOf(other, cursor));
  const outbox = await openTestOutbox({ dir, files: disk });
  expect(await drain(outbox.reader("clickhouse"))).toEqual(all);
});

test("a cursor beyond the last event starts at the end, and its sequence numbers are not used again", async () => {
  const disk = await diskWithThreeFrames();
  await acknowledge(disk, 6);
  await put(disk, segment, Buffer.alloc(0));
  for (const path of [...disk.entries.keys()])
    if (path.endsWith(".seg") && path !== segment) await disk.remove(path);
  const outbox = await openTestOutbox({ dir, files: disk });
  await outbox.append(batchOf("{}"));
  const batch = await outbox.reader("clickhouse").next(wideBounds);
  expect(batch).toMatchObject({ firstSequence: 7, lastSequence: 7 });
  expect(outbox.log.lines).toContainEqual({
    level: "warn",
    message: "a cursor is beyond the last event; the output starts at the end",
    fields: { output: "clickhouse", position: 7, kept_end: 1 },
  });
});

test("an output that is no longer configured holds no segments", async () => {
  const disk = createMemoryDisk();
  const before = await openTestOutbox({
    dir,
    files: disk,
    outputs: ["clickhouse", "gone"],
    segmentBytes: 100,
  });
  for (const batch of frames) await before.append(batch);
  await drain(before.reader("clickhouse"));
  await before.close();
  const outbox = await openTestOutbox({ dir, files: disk });
  expect(outbox.counts().segments).toBe(1);
  expect(disk.entries.has(`${dir}/cursors/gone.cursor`)).toBe(false);
  expect(outbox.log.lines).toContainEqual({
    level: "warn",
    message: "an output is no longer configured; its cursor is removed",
    fields: { output: "gone", position: 1 },
  });
});

test("a newly configured output starts at the oldest event", async () => {
  const disk = await diskWithThreeFrames();
  const outbox = await openTestOutbox({ dir, files: disk, outputs: ["clickhouse", "new"] });
  expect(await drain(outbox.reader("new"))).toEqual(all);
});

const strangeFiles: readonly (readonly [string, string, Buffer])[] = [
  ["a segment of garbage", "00000000000000000500.seg", Buffer.alloc(999, "garbage")],
  ["a segment of zeros", "00000000000000000500.seg", Buffer.alloc(999)],
  ["a file whose name is not that of a segment", "backup.seg", Buffer.from("{}\n")],
  ["a segment with a sequence number over the limit", "99999999999999999999.seg", Buffer.from("{}\n")],
];

for (const [what, name, content] of strangeFiles)
  test(`${what} is moved to damaged/, and the events around it stay`, async () => {
    const disk = await diskWithThreeFrames();
    await put(disk, `${dir}/${name}`, content);
    const outbox = await openTestOutbox({ dir, files: disk });
    await outbox.append(batchOf("{}"));
    expect(await drain(outbox.reader("clickhouse"))).toEqual([...all, "{}"]);
    expect(disk.entries.has(`${dir}/${name}`)).toBe(false);
    expect(contentOf(disk, `${dir}/damaged/${name}`)).toEqual(content);
    expect(outbox.log.lines.map(({ level, message }) => `${level} ${message}`)).toContain(
      "error a file is not used; it is moved to damaged/",
    );
  });

test("an empty segment is removed, and its sequence number is not used again", async () => {
  const disk = await diskWithThreeFrames();
  await put(disk, `${dir}/00000000000000000500.seg`, Buffer.alloc(0));
  await openTestOutbox({ dir, files: disk }).then((outbox) => outbox.close());
  const outbox = await openTestOutbox({ dir, files: disk });
  await outbox.append(batchOf("{}"));
  expect((await outbox.reader("clickhouse").next(wideBounds))?.lastSequence).toBe(500);
});

test("a file without the suffix of a segment is left alone", async () => {
  const disk = await diskWithThreeFrames();
  await put(disk, `${dir}/README`, Buffer.from("mine"));
  await openTestOutbox({ dir, files: disk });
  expect(contentOf(disk, `${dir}/README`).toString()).toBe("mine");
});

test("a segment that cannot be read is moved to damaged/, and the others are delivered", async () => {
  const disk = createMemoryDisk();
  const before = await openTestOutbox({ dir, files: disk, segmentBytes: 100 });
  for (const batch of frames) await before.append(batch);
  await before.close();
  const unreadable = `${dir}/00000000000000000003.seg`;
  disk.fault = (operation, path) =>
    operation === "open" && path === unreadable ? { code: "EIO" } : undefined;
  const outbox = await openTestOutbox({ dir, files: disk });
  expect(await drain(outbox.reader("clickhouse"))).toEqual([...all.slice(0, 2), ...all.slice(4)]);
  expect(disk.entries.has(`${dir}/damaged/00000000000000000003.seg`)).toBe(true);
});

test("a folder with the name of a segment or cursor does not prevent the start", async () => {
  using folder = temporaryFolder();
  const before = await openTestOutbox({ dir: folder.path });
  await before.append(batchOf("{}"));
  await before.close();
  mkdirSync(join(folder.path, "00000000000000000600.seg"));
  writeFileSync(join(folder.path, "cursors", "%.cursor"), "");
  mkdirSync(join(folder.path, "cursors", "elasticsearch.cursor"));
  const outbox = await openTestOutbox({ dir: folder.path });
  expect(await drain(outbox.reader("clickhouse"))).toEqual(["{}"]);
  expect(readdirSync(join(folder.path, "damaged"))).toEqual(["00000000000000000600.seg"]);
  await outbox.close();
});
