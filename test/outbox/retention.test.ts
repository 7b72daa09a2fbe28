import { expect, jest, test } from "bun:test";
import { Retention, type RetentionOptions } from "../../server/outbox/retention.ts";
import type { Segment } from "../../server/outbox/segment.ts";
import { recordingLog } from "../support/log.ts";
import { createMemoryDisk } from "./memory-disk.ts";

const dir = "/outbox";

function segment(firstSequence: number, endSequence: number, sizeBytes = 1000): Segment {
  return {
    path: `${dir}/${firstSequence}.seg`,
    firstSequence,
    endSequence,
    readableBytes: sizeBytes,
    sizeBytes,
    firstReceivedAt: firstSequence,
    damagedRanges: [],
  };
}

/** A retention over these segments, which are files too, and one cursor at each of these positions. */
async function retentionOf(
  segments: Segment[],
  positions: readonly number[],
  options: Partial<RetentionOptions> = {},
) {
  const files = createMemoryDisk();
  for (const { path } of segments) await files.open(path, "create");
  files.calls.length = 0;
  const log = recordingLog();
  const dropped: unknown[] = [];
  const cursors = positions.map((position) => ({
    position,
    closeRemoved() {},
    dropBefore: (firstKept: number, after: Segment | undefined) =>
      void dropped.push([firstKept, after?.path, segments.length]),
  }));
  const retention = new Retention({
    dir,
    files,
    log,
    maxBytes: 3000,
    capacityBytes: () => Number.POSITIVE_INFINITY,
    onFull: "reject",
    segments,
    cursors: () => cursors,
    startSegment: async () => {
      segments.push(segment(segments.at(-1)?.endSequence ?? 1, segments.at(-1)?.endSequence ?? 1, 64));
      return undefined;
    },
    ...options,
  });
  const paths = () => segments.map(({ firstSequence }) => firstSequence);
  return { retention, files, log, dropped, paths };
}

const threeSegments = () => [segment(1, 11), segment(11, 21), segment(21, 31)];

test("a segment is removed when the slowest cursor has passed it, and the newest one never", async () => {
  const slow = await retentionOf(threeSegments(), [31, 20]);
  await slow.retention.removeDelivered();
  expect(slow.paths()).toEqual([11, 21]);
  const all = await retentionOf(threeSegments(), [31, 31]);
  // The directory is synced after the removals, however long they take, and the call waits for both.
  all.files.pause = () => new Promise((resolve) => setImmediate(resolve));
  await all.retention.removeDelivered();
  expect(all.paths()).toEqual([21]);
  expect(all.files.calls).toEqual([
    { operation: "remove", path: `${dir}/1.seg` },
    { operation: "remove", path: `${dir}/11.seg` },
    { operation: "syncDirectory", path: dir },
  ]);
});

test("nothing is removed before a cursor has reached the end of a segment", async () => {
  const { retention, files, paths } = await retentionOf(threeSegments(), [10]);
  await retention.removeDelivered();
  expect(paths()).toEqual([1, 11, 21]);
  expect(files.calls).toEqual([]);
});

test("an outbox without outputs removes nothing", async () => {
  const { retention, paths } = await retentionOf(threeSegments(), []);
  await retention.removeDelivered();
  expect(paths()).toEqual([1, 11, 21]);
});

test("a segment leaves the list in the turn of the call, and its file later", async () => {
  const { retention, files, paths } = await retentionOf(threeSegments(), [31]);
  const removal = retention.removeDelivered();
  expect([paths(), files.entries.size]).toEqual([[21], 3]);
  await removal;
  expect(files.entries.size).toBe(1);
});

test("a file that cannot be removed is logged, and the others are removed", async () => {
  const { retention, files, log } = await retentionOf(threeSegments(), [31]);
  files.fault = (operation, path) =>
    operation === "remove" && path.endsWith("/1.seg") ? { code: "EIO" } : undefined;
  await retention.removeDelivered();
  expect([...files.entries.keys()]).toEqual([`${dir}/1.seg`, `${dir}/21.seg`]);
  expect(log.lines).toEqual([
    {
      level: "warn",
      message: "cannot remove a segment; another attempt follows",
      fields: { path: `${dir}/1.seg`, error: "EIO: injected fault, remove" },
    },
  ]);
});

test("a batch that exactly fits has room, and one more byte has none", async () => {
  const { retention } = await retentionOf([segment(1, 11)], [1]);
  expect(await retention.makeRoom(2000, 1000)).toBeUndefined();
  expect(await retention.makeRoom(2001, 1000)).toBe("outbox full");
});

test("a batch that does not fit into an empty outbox is refused as too large, full or not", async () => {
  const { retention } = await retentionOf([segment(1, 1, 64)], [1], { onFull: "drop_oldest" });
  expect(await retention.makeRoom(2936, 2872)).toBeUndefined();
  expect(await retention.makeRoom(2937, 2873)).toBe("batch larger than the outbox");
  const huge = await retentionOf([segment(1, 1, 64)], [1], { maxBytes: Number.MAX_SAFE_INTEGER });
  expect(await huge.retention.makeRoom(0, 256 * 1024 * 1024 - 64)).toBeUndefined();
  expect(await huge.retention.makeRoom(0, 256 * 1024 * 1024 - 63)).toBe("batch larger than the outbox");
});

test("that the outbox is full is logged once, and once that it has room again", async () => {
  const segments = [segment(1, 11, 200), segment(11, 21), segment(21, 31, 1800)];
  const { retention, log } = await retentionOf(segments, [1]);
  for (let n = 0; n < 3; n++) await retention.makeRoom(100, 50);
  retention.remove(segments.slice(0, 1));
  retention.remove(segments.slice(0, 1));
  expect(log.lines).toEqual([
    {
      level: "error",
      message: "outbox full; batches are refused until events are delivered",
      fields: { size_bytes: 3000, max_bytes: 3000 },
    },
    { level: "info", message: "outbox has room again; batches are accepted", fields: {} },
  ]);
});

test("nothing is logged about room if the outbox was not full", async () => {
  const segments = threeSegments();
  const { retention, log } = await retentionOf(segments, [1]);
  retention.remove(segments.slice(0, 1));
  expect(log.lines).toEqual([]);
});

test("room at 95 % or more is not logged as room", async () => {
  const segments = [segment(1, 11, 150), segment(11, 21, 1), segment(21, 31, 2849)];
  const { retention, log } = await retentionOf(segments, [1]);
  await retention.makeRoom(100, 50);
  retention.remove(segments.slice(0, 1));
  expect(log.lines).toHaveLength(1);
  retention.remove(segments.slice(0, 1));
  expect(log.lines).toHaveLength(2);
});

test("the problem is nearly full from 95 % on, and full when no header fits", async () => {
  const problems = [2849, 2850, 2935, 2936].map(async (size) =>
    (await retentionOf([segment(1, 11, size)], [1])).retention.problem(),
  );
  expect(await Promise.all(problems)).toEqual([
    undefined,
    "outbox nearly full",
    "outbox nearly full",
    "outbox full",
  ]);
});

test("with drop_oldest being full is not a problem", async () => {
  const { retention } = await retentionOf([segment(1, 11, 3000)], [1], { onFull: "drop_oldest" });
  expect(retention.problem()).toBeUndefined();
});

test("with drop_oldest the oldest segments are removed until the batch fits, after every cursor has counted them", async () => {
  const { retention, files, log, dropped, paths } = await retentionOf(threeSegments(), [1, 31], {
    onFull: "drop_oldest",
  });
  expect(await retention.makeRoom(1001, 900)).toBeUndefined();
  expect(paths()).toEqual([21]);
  const second = [11, `${dir}/11.seg`, 3];
  const third = [21, `${dir}/21.seg`, 2];
  expect(dropped).toEqual([second, second, third, third]);
  expect([...files.entries.keys()]).toEqual([`${dir}/21.seg`]);
  expect(log.lines[0]).toEqual({
    level: "warn",
    message: "outbox full; its oldest segment is removed, delivered or not",
    fields: { segment: `${dir}/1.seg`, events: 10 },
  });
});

test("with drop_oldest a new segment is started before the only one is removed", async () => {
  const { retention, paths } = await retentionOf([segment(1, 11, 2900)], [1], { onFull: "drop_oldest" });
  expect(await retention.makeRoom(200, 100)).toBeUndefined();
  expect(paths()).toEqual([11]);
});

test("nothing is dropped if no new segment can be started", async () => {
  const { retention, dropped, paths } = await retentionOf([segment(1, 11, 2900)], [1], {
    onFull: "drop_oldest",
    startSegment: async () => "outbox: ENOSPC",
  });
  expect(await retention.makeRoom(200, 100)).toBe("outbox: ENOSPC");
  expect([dropped, paths()]).toEqual([[], [1]]);
});

test("frames that are not written yet make no room", async () => {
  const { retention, dropped } = await retentionOf([segment(1, 1, 64)], [1], {
    onFull: "drop_oldest",
    startSegment: async () => undefined,
  });
  expect(await retention.makeRoom(2950, 100)).toBe("outbox full");
  expect(dropped).toEqual([]);
});

test("settled waits for the removal of files", async () => {
  const { retention, files } = await retentionOf(threeSegments(), [31]);
  void retention.removeDelivered();
  await retention.settled();
  expect([...files.entries.keys()]).toEqual([`${dir}/21.seg`]);
});

test("a file that could not be removed is removed with the next segment, and logged once", async () => {
  const segments = threeSegments();
  const { retention, files, log } = await retentionOf(segments, [31]);
  files.fault = (operation, path) =>
    operation === "remove" && path.endsWith("/1.seg") ? { code: "EBUSY" } : undefined;
  await retention.removeDelivered();
  segments.push(segment(31, 31));
  await retention.removeDelivered();
  expect([...files.entries.keys()]).toEqual([`${dir}/1.seg`]);
  files.fault = () => undefined;
  retention.remove([segment(0, 0)]);
  await retention.settled();
  expect([...files.entries.keys()]).toEqual([]);
  expect(log.lines).toHaveLength(1);
  await retention.close();
});

test("a file that could not be removed is removed half a minute later", async () => {
  jest.useFakeTimers();
  try {
    const { retention, files } = await retentionOf(threeSegments(), [31]);
    files.fault = (operation) => (operation === "remove" ? { code: "EBUSY" } : undefined);
    await retention.removeDelivered();
    expect(files.entries.size).toBe(3);
    files.fault = () => undefined;
    jest.advanceTimersByTime(30_000);
    await retention.settled();
    expect([...files.entries.keys()]).toEqual([`${dir}/21.seg`]);
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});

test("a file that somebody else removed is not a warning, and a closed outbox does not try again", async () => {
  const { retention, files, log } = await retentionOf(threeSegments(), [31]);
  files.fault = (operation, path) =>
    operation === "remove" ? { code: path.endsWith("/1.seg") ? "ENOENT" : "EBUSY" } : undefined;
  jest.useFakeTimers();
  try {
    await retention.removeDelivered();
    expect(log.lines.map(({ fields }) => fields?.path)).toEqual([`${dir}/11.seg`]);
    await retention.close();
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});
