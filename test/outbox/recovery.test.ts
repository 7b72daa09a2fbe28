import { expect, test } from "bun:test";
import { openDamagedFiles } from "../../server/outbox/damaged-files.ts";
import type { FileLayer } from "../../server/outbox/file-layer.ts";
import { encodeSegmentHeader } from "../../server/outbox/format.ts";
import { recover } from "../../server/outbox/recovery.ts";
import { recordingLog } from "../support/log.ts";
import { createMemoryDisk, type MemoryDisk } from "./memory-disk.ts";
import { batchOf, openTestOutbox } from "./outboxes.ts";

const dir = "/outbox";
const headerBytes = 64;
const frameBytes = 40 + "spip-001\n".length + 2 * "{}\n".length;
const pathOf = (firstSequence: number) => `${dir}/${nameOf(firstSequence)}`;
const nameOf = (firstSequence: number) => `${String(firstSequence).padStart(20, "0")}.seg`;

/** A disk with an outbox of this many frames of two events, in segments of this size. The last segment is empty. */
async function diskWithFrames(count: number, segmentBytes: number): Promise<MemoryDisk> {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk, segmentBytes });
  for (let n = 0; n < count; n++) await outbox.append(batchOf("{}", "{}"));
  await outbox.close();
  return disk;
}

/** Three segments with a frame each: 1, 3 and 5, and the empty one, 7. */
const diskWithSegments = () => diskWithFrames(3, headerBytes + frameBytes);

async function recoverFrom(files: FileLayer) {
  const log = recordingLog();
  const damaged = await openDamagedFiles(`${dir}/damaged`, files, log);
  const recovered = await recover({
    dir,
    cursorFolder: `${dir}/cursors`,
    outputs: ["clickhouse"],
    files,
    damaged,
    log,
  });
  const firsts = () => recovered.segments.map(({ firstSequence }) => firstSequence);
  const lines = () => log.lines;
  return { recovered, firsts, lines };
}

function contentOf(disk: MemoryDisk, path: string): Buffer {
  const inode = disk.entries.get(path);
  if (!inode) throw new Error(`there is no ${path}`);
  return inode.content;
}

async function put(disk: MemoryDisk, path: string, content: Buffer): Promise<void> {
  const file = await disk.open(path, "create");
  await file.write(content, 0);
}

/** A copy in which this byte differs. */
function damagedAt(content: Buffer, ...offsets: readonly number[]): Buffer {
  const copy = Buffer.from(content);
  for (const offset of offsets) copy[offset] = (copy[offset] ?? 0) ^ 0xff;
  return copy;
}

test("an intact outbox is recovered without a change or a log line", async () => {
  const disk = await diskWithSegments();
  disk.calls.length = 0;
  const { recovered, firsts, lines } = await recoverFrom(disk);
  expect(firsts()).toEqual([1, 3, 5]);
  expect(recovered).toMatchObject({ nextSequence: 7, keptEnd: 7, damagedEvents: 0 });
  expect(disk.calls).toEqual([]);
  expect(lines()).toEqual([]);
});

test("the unfinished end of the last segment is cut off and synced before anything else is written", async () => {
  const disk = await diskWithFrames(2, 10_000);
  const whole = contentOf(disk, pathOf(1));
  const torn = Buffer.concat([whole, whole.subarray(headerBytes, headerBytes + 50)]);
  await put(disk, pathOf(1), torn);
  disk.calls.length = 0;
  disk.pause = () => new Promise((resolve) => setImmediate(resolve));
  const { recovered, lines } = await recoverFrom(disk);
  expect(disk.calls).toEqual([
    { operation: "truncate", path: pathOf(1) },
    { operation: "datasync", path: pathOf(1) },
  ]);
  expect(contentOf(disk, pathOf(1))).toEqual(whole);
  expect(recovered.segments[0]).toMatchObject({ sizeBytes: whole.length, readableBytes: whole.length });
  expect(lines()).toEqual([
    { level: "warn", message: "cut off an unfinished frame", fields: { path: pathOf(1), size_bytes: 50 } },
  ]);
});

test("a last segment without an unfinished end is synced and not truncated", async () => {
  const disk = await diskWithFrames(2, 10_000);
  disk.calls.length = 0;
  const { lines } = await recoverFrom(disk);
  expect(disk.calls).toEqual([{ operation: "datasync", path: pathOf(1) }]);
  expect(lines()).toEqual([]);
});

test("an end that cannot be cut off is logged, and the segment is used as it is", async () => {
  const disk = await diskWithFrames(2, 10_000);
  const whole = contentOf(disk, pathOf(1));
  await put(disk, pathOf(1), Buffer.concat([whole, Buffer.alloc(5)]));
  disk.fault = (operation) => (operation === "truncate" ? { code: "EIO" } : undefined);
  const { recovered, lines } = await recoverFrom(disk);
  expect(recovered.segments[0]).toMatchObject({
    sizeBytes: whole.length + 5,
    readableBytes: whole.length,
    endSequence: 5,
  });
  expect(lines()[1]).toEqual({
    level: "warn",
    message: "cannot cut and sync the last segment; it is used as it is",
    fields: { path: pathOf(1), error: "EIO: injected fault, truncate" },
  });
});

/** A segment whose header is damaged, so that only its name and the sequence numbers of its frames say what it is. */
const withoutHeader = (content: Buffer) => damagedAt(content, 0);

test("frames that repeat the sequence numbers of an earlier segment count as damaged", async () => {
  const disk = await diskWithFrames(3, 10_000);
  await put(disk, pathOf(2), withoutHeader(contentOf(disk, pathOf(1))));
  const { recovered, firsts } = await recoverFrom(disk);
  expect(firsts()).toEqual([1]);
  await recovered.cleanUp(pathOf(999));
  expect(disk.entries.has(`${dir}/damaged/${nameOf(2)}`)).toBe(true);
});

test("frames with lower sequence numbers than their segment's name count as damaged", async () => {
  const disk = await diskWithSegments();
  await disk.remove(pathOf(7));
  // Its frame continues the sequence numbers, but its name does not.
  await put(disk, pathOf(500), withoutHeader(contentOf(disk, pathOf(5))));
  await disk.remove(pathOf(5));
  const { recovered, firsts } = await recoverFrom(disk);
  expect(firsts()).toEqual([1, 3]);
  expect(recovered).toMatchObject({ damagedEvents: 0, keptEnd: 5 });
  await recovered.cleanUp(pathOf(999));
  expect(disk.entries.has(`${dir}/damaged/${nameOf(500)}`)).toBe(true);
});

test("the id in most files is the outbox's, wherever the others are", async () => {
  const disk = await diskWithSegments();
  const { outboxId } = (await recoverFrom(disk)).recovered;
  for (const name of [2, 500]) await put(disk, pathOf(name), segmentOfAnotherOutbox(name));
  const { recovered, firsts } = await recoverFrom(disk);
  expect(recovered.outboxId).toBe(outboxId);
  expect(firsts()).toEqual([1, 3, 5]);
});

test("damaged events are counted and logged by segment", async () => {
  const disk = await diskWithFrames(3, 10_000);
  await put(disk, pathOf(1), damagedAt(contentOf(disk, pathOf(1)), headerBytes + frameBytes));
  const { recovered, lines } = await recoverFrom(disk);
  expect(recovered.damagedEvents).toBe(2);
  expect(lines()).toEqual([
    {
      level: "error",
      message: "skipped damaged events of a segment; they are not delivered",
      fields: { segment: nameOf(1), events: 2 },
    },
  ]);
});

test("the next sequence number is beyond all events that may have been in damaged regions", async () => {
  const disk = await diskWithFrames(4, 10_000);
  const content = contentOf(disk, pathOf(1));
  // The first and the last of four frames, which are 55 bytes each: 110 bytes hold 37 events of 3 bytes at most.
  await put(disk, pathOf(1), damagedAt(content, headerBytes, headerBytes + 3 * frameBytes));
  const { recovered } = await recoverFrom(disk);
  expect(recovered.nextSequence).toBe(7 + Math.ceil((2 * frameBytes) / 3));
});

test("files beside the cursors that are not cursors are ignored", async () => {
  const disk = await diskWithSegments();
  await put(disk, `${dir}/cursors/README`, Buffer.from("mine"));
  const { recovered, lines } = await recoverFrom(disk);
  expect([...recovered.cursors.keys()]).toEqual(["clickhouse"]);
  expect(lines()).toEqual([]);
});

function segmentOfAnotherOutbox(firstSequence: number): Buffer {
  return encodeSegmentHeader({
    outboxId: "ff".repeat(16),
    firstSequence,
    keptEnd: firstSequence,
    createdAt: 1,
  });
}

/** What `cleanUp` does to one more file. */
async function cleanUpOf(name: string, content: (disk: MemoryDisk) => Buffer) {
  const disk = await diskWithSegments();
  await put(disk, `${dir}/${name}`, content(disk));
  disk.pause = () => new Promise((resolve) => setImmediate(resolve));
  const { recovered, lines } = await recoverFrom(disk);
  expect(disk.entries.has(`${dir}/${name}`)).toBe(true);
  await recovered.cleanUp(pathOf(7));
  // At once: `cleanUp` has waited for the disk.
  const isMoved = disk.entries.has(`${dir}/damaged/${name}`);
  const isThere = disk.entries.has(`${dir}/${name}`);
  for (const first of [1, 3, 5, 7]) expect(disk.entries.has(pathOf(first))).toBe(true);
  return { isMoved, isThere, lines: lines() };
}

const movedFiles: readonly (readonly [string, string, (disk: MemoryDisk) => Buffer, string])[] = [
  [
    "a file whose name has no sequence number",
    "backup.seg",
    () => Buffer.from("{}"),
    "its name is not that of a segment",
  ],
  [
    "a segment whose header contradicts its name",
    nameOf(500),
    (disk) => contentOf(disk, pathOf(1)),
    "it cannot be read as a segment",
  ],
  [
    "a segment of another outbox",
    nameOf(500),
    () => segmentOfAnotherOutbox(500),
    "it belongs to another outbox",
  ],
  ["a segment of garbage", nameOf(500), () => Buffer.alloc(99, "garbage"), "it has no readable frame"],
];

for (const [what, name, content, reason] of movedFiles)
  test(`${what} is moved to damaged/, and the log says why`, async () => {
    expect(await cleanUpOf(name, content)).toEqual({
      isMoved: true,
      isThere: false,
      lines: [
        {
          level: "error",
          message: "a file is not used; it is moved to damaged/",
          fields: { file: name, reason },
        },
      ],
    });
  });

test("an empty segment is removed, and not logged", async () => {
  expect(await cleanUpOf(nameOf(500), () => Buffer.alloc(0))).toEqual({
    isMoved: false,
    isThere: false,
    lines: [],
  });
});

test("an unreadable segment is logged with the error, and moved to damaged/", async () => {
  const disk = await diskWithSegments();
  disk.fault = (operation, path) =>
    operation === "open" && path === pathOf(3) ? { code: "EIO" } : undefined;
  const { recovered, firsts, lines } = await recoverFrom(disk);
  expect(firsts()).toEqual([1, 5]);
  expect(lines()[0]).toEqual({
    level: "error",
    message: "cannot read a segment; it is moved to damaged/",
    fields: { path: pathOf(3), error: "EIO: injected fault, open" },
  });
  // As many events as fit into the largest segment.
  expect(recovered.nextSequence).toBe(3 + Math.ceil((256 * 1024 * 1024) / 3));
});

test("a file larger than any segment is not read", async () => {
  const disk = await diskWithSegments();
  const tooLarge = 256 * 1024 * 1024 + 1;
  const reads: string[] = [];
  disk.fault = (operation, path) => {
    if (operation === "read") reads.push(path);
    return undefined;
  };
  const files: FileLayer = {
    ...disk,
    async open(path, mode) {
      const file = await disk.open(path, mode);
      return path === pathOf(3) ? { ...file, size: async () => tooLarge } : file;
    },
  };
  const { recovered, firsts } = await recoverFrom(files);
  expect(firsts()).toEqual([1, 5]);
  expect(reads).not.toContain(pathOf(3));
  expect(recovered.nextSequence).toBe(3 + Math.ceil(tooLarge / 3));
});
