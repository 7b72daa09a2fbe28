import { expect, test } from "bun:test";
import { ActiveSegment } from "../../server/outbox/active-segment.ts";
import { tryParseSegmentHeader } from "../../server/outbox/format.ts";
import type { Segment } from "../../server/outbox/segment.ts";
import { createMemoryDisk } from "./memory-disk.ts";

const dir = "/outbox";
const outboxId = "0123456789abcdef0123456789abcdef";
const pathOf = (firstSequence: number) => `${dir}/${String(firstSequence).padStart(20, "0")}.seg`;

/** The active segment of an outbox with the next sequence number 11, of which the last kept event was 9. */
function activeSegment() {
  const files = createMemoryDisk();
  const segments: Segment[] = [];
  const removed: (readonly string[])[] = [];
  const active = new ActiveSegment({
    dir,
    files,
    now: () => 1234,
    outboxId,
    segmentBytes: 500,
    segments,
    retention: {
      remove(gone) {
        removed.push(gone.map(({ path }) => path));
      },
      async removeDelivered() {
        removed.push(["delivered"]);
      },
    },
    nextSequence: 11,
    keptEnd: 10,
    onProgress() {},
  });
  /** Writes and publishes a frame of this size with one event. */
  async function commit(sizeBytes: number) {
    const writer = await active.writerFor(sizeBytes);
    await writer.commit(Buffer.alloc(sizeBytes));
    active.publish(writer.segment, [{ eventCount: 1, receivedAt: 77 }], sizeBytes);
    return writer;
  }
  return { active, files, segments, removed, commit };
}

test("a new segment has the next sequence number and the end of the kept events in its header", async () => {
  const { active, files, segments, removed } = activeSegment();
  await active.roll();
  expect(tryParseSegmentHeader(files.entries.get(pathOf(11))?.content ?? Buffer.alloc(0))).toEqual({
    outboxId,
    firstSequence: 11,
    keptEnd: 10,
    createdAt: 1234,
  });
  expect(segments.map(({ path }) => path)).toEqual([pathOf(11)]);
  expect(removed).toEqual([[], ["delivered"]]);
});

test("an empty segment is not replaced", async () => {
  const { active, files } = activeSegment();
  const writer = await active.roll();
  const calls = files.calls.length;
  expect([await active.roll(), await active.writer(), await active.writerFor(9999)]).toEqual([
    writer,
    writer,
    writer,
  ]);
  expect(files.calls).toHaveLength(calls);
});

test("an empty segment whose file was lost is replaced by one with the same name", async () => {
  const { active, segments, removed, commit } = activeSegment();
  await commit(500);
  const lost = await active.roll();
  expect(active.noteGone()).toBe(pathOf(12));
  removed.length = 0;
  const next = await active.writer();
  expect(next).not.toBe(lost);
  expect(segments).toEqual([expect.objectContaining({ path: pathOf(11) }), next.segment]);
  expect(next.segment.path).toBe(pathOf(12));
  expect(removed).toEqual([[], ["delivered"]]);
});

test("frames fill a segment exactly, and the next one gets a new segment", async () => {
  const { active, segments, commit } = activeSegment();
  await commit(100);
  await commit(500 - 64 - 100);
  expect(active.isFull).toBe(true);
  expect(segments).toHaveLength(1);
  await commit(1);
  expect(segments.map(({ path }) => path)).toEqual([pathOf(11), pathOf(13)]);
  expect(active.isFull).toBe(false);
});

test("published frames move the ends of the segment, and the first time of receipt stays", async () => {
  const { active, commit } = activeSegment();
  const { segment } = await commit(100);
  expect(segment).toMatchObject({ readableBytes: 164, sizeBytes: 164, endSequence: 12, firstReceivedAt: 77 });
  active.publish(segment, [{ eventCount: 2, receivedAt: 88 }], 50);
  expect(segment).toMatchObject({ readableBytes: 214, sizeBytes: 214, endSequence: 14, firstReceivedAt: 77 });
  expect(active.nextSequence).toBe(14);
});

test("the segment of a failed sync is abandoned with its sequence numbers, and removed if nothing was kept in it", async () => {
  const { active, files, removed } = activeSegment();
  const writer = await active.roll();
  files.fault = (operation) => (operation === "datasync" ? { code: "EIO" } : undefined);
  await expect(writer.commit(Buffer.alloc(10))).rejects.toThrow("EIO");
  files.fault = () => undefined;
  await active.abandonIfUntrusted(3);
  expect(active.nextSequence).toBe(14);
  removed.length = 0;
  const next = await active.writer();
  expect(next.segment.path).toBe(pathOf(14));
  expect(tryParseSegmentHeader(files.entries.get(pathOf(14))?.content ?? Buffer.alloc(0))?.keptEnd).toBe(10);
  expect(removed[0]).toEqual([pathOf(11)]);
});

test("the segment of a failed write that was cut off is used again, with the same sequence numbers", async () => {
  const { active, files } = activeSegment();
  const writer = await active.roll();
  files.fault = (operation) => (operation === "write" ? { code: "ENOSPC" } : undefined);
  await expect(writer.commit(Buffer.alloc(10))).rejects.toThrow("ENOSPC");
  files.fault = () => undefined;
  await active.abandonIfUntrusted(3);
  expect(active.nextSequence).toBe(11);
  expect(await active.writer()).toBe(writer);
});

test("after a segment could not be created, the one before it is not appended to", async () => {
  const { active, files, commit } = activeSegment();
  await commit(100);
  files.fault = (operation) => (operation === "create" ? { code: "ENOSPC" } : undefined);
  await expect(active.writerFor(9999)).rejects.toThrow("ENOSPC");
  await expect(active.writerFor(1)).rejects.toThrow("ENOSPC");
  files.fault = () => undefined;
  expect((await active.writerFor(1)).segment.path).toBe(pathOf(12));
});
