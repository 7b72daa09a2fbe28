import { expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { openOutbox } from "../../server/outbox/outbox.ts";
import { CannotKeep } from "../../server/pipeline.ts";
import { recordingLog, silentLog } from "../support/log.ts";
import { createMemoryDisk } from "./memory-disk.ts";
import { batchOf, documentsOf, drain, openTestOutbox, temporaryFolder, wideBounds } from "./outboxes.ts";

const dir = "/outbox";

function segmentsIn(path: string): readonly string[] {
  return readdirSync(path).filter((name) => name.endsWith(".seg"));
}

test("appended events are handed out in order, with sequence number, sensor and time of receipt", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk(), now: () => 1_700_000_000_123 });
  await outbox.append(batchOf('{"n":1}', '{"n":2}'));
  await outbox.append({ ...batchOf('{"n":3}'), sensorId: "späher" });
  const batch = await outbox.reader("clickhouse").next(wideBounds);
  expect(batch).toEqual({
    firstSequence: 1,
    lastSequence: 3,
    events: [
      { sequence: 1, sensorId: "spip-001", receivedAt: 1_700_000_000_123, document: Buffer.from('{"n":1}') },
      { sequence: 2, sensorId: "spip-001", receivedAt: 1_700_000_000_123, document: Buffer.from('{"n":2}') },
      { sequence: 3, sensorId: "späher", receivedAt: 1_700_000_000_123, document: Buffer.from('{"n":3}') },
    ],
  });
});

test("append resolves after the sync that follows its write", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  disk.calls.length = 0;
  await outbox
    .append(batchOf('{"n":1}'))
    .then(() => disk.calls.push({ operation: "open", path: "resolved" }));
  const segment = [...disk.entries.keys()].find((path) => path.endsWith(".seg")) ?? "";
  expect(disk.calls).toEqual([
    { operation: "write", path: segment },
    { operation: "datasync", path: segment },
    { operation: "open", path: "resolved" },
  ]);
});

test("a frame is not handed out before it is synced", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  const reader = outbox.reader("clickhouse");
  const seen: number[] = [];
  disk.fault = (operation, path) => {
    if (operation === "datasync" && path.endsWith(".seg")) seen.push(reader.waiting().events);
    return undefined;
  };
  const write = outbox.append(batchOf('{"n":1}'));
  expect(await reader.next(wideBounds)).toBeUndefined();
  await write;
  expect(seen).toEqual([0]);
  expect(documentsOf(await reader.next(wideBounds))).toEqual(['{"n":1}']);
});

test("a new segment and its name are synced before anything is appended to it", async () => {
  const disk = createMemoryDisk();
  await openTestOutbox({ dir, files: disk });
  const kinds = disk.calls.filter(({ path }) => path.endsWith(".seg") || path === dir);
  expect(kinds.map(({ operation }) => operation)).toEqual(["create", "write", "datasync", "syncDirectory"]);
});

test("a hundred appends in the same turn share one sync", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk() });
  await Promise.all(Array.from({ length: 100 }, (_, n) => outbox.append(batchOf(`{"n":${n}}`))));
  expect(outbox.counts().syncs).toBe(1);
});

test("appends that arrive during a sync share the next one", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  const appends: Promise<void>[] = [];
  disk.fault = (operation, path) => {
    if (operation === "datasync" && path.endsWith(".seg") && appends.length < 50)
      for (let n = 0; n < 50; n++) appends.push(outbox.append(batchOf(`{"n":${n}}`)));
    return undefined;
  };
  await outbox.append(batchOf('{"n":"first"}'));
  await Promise.all(appends);
  expect(outbox.counts().syncs).toBe(2);
});

test("an empty batch is kept without a write", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  disk.calls.length = 0;
  await outbox.append(batchOf());
  expect(disk.calls).toEqual([]);
});

test("the border of a batch is on the disk before it is handed out", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  await outbox.append(batchOf('{"n":1}'));
  disk.calls.length = 0;
  await outbox.reader("clickhouse").next(wideBounds);
  const path = join(dir, "cursors/clickhouse.cursor");
  expect(disk.calls).toEqual([
    { operation: "write", path },
    { operation: "datasync", path },
  ]);
});

test("the same batch is handed out again until it is acknowledged, even with other bounds", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  await outbox.append(batchOf('{"n":1}', '{"n":2}', '{"n":3}'));
  const reader = outbox.reader("clickhouse");
  const first = await reader.next({ maxEvents: 2, maxBytes: 1000 });
  expect(documentsOf(first)).toEqual(['{"n":1}', '{"n":2}']);
  disk.calls.length = 0;
  expect(await reader.next({ maxEvents: 1, maxBytes: 1 })).toEqual(first);
  // Its borders are on disk already.
  expect(disk.calls).toEqual([]);
});

test("the same batch is handed out again after a restart", async () => {
  const disk = createMemoryDisk();
  const before = await openTestOutbox({ dir, files: disk });
  await before.append(batchOf('{"n":1}', '{"n":2}', '{"n":3}'));
  const batch = await before.reader("clickhouse").next({ maxEvents: 2, maxBytes: 1000 });
  await before.close();
  const after = await openTestOutbox({ dir, files: disk });
  expect(await after.reader("clickhouse").next(wideBounds)).toEqual(batch);
});

test("a batch that was taken back is replaced by one with the events that have arrived since, also after a restart", async () => {
  const disk = createMemoryDisk();
  const first = await openTestOutbox({ dir, files: disk });
  await first.append(batchOf('{"n":1}'));
  const reader = first.reader("clickhouse");
  const alone = await reader.next(wideBounds);
  await first.append(batchOf('{"n":2}'));
  if (alone) await reader.takeBack(alone);
  expect((await reader.next(wideBounds))?.events).toHaveLength(2);
  const both = await reader.next(wideBounds);
  if (both) await reader.takeBack(both);
  await first.close();
  const second = await openTestOutbox({ dir, files: disk });
  await second.append(batchOf('{"n":3}'));
  expect((await second.reader("clickhouse").next(wideBounds))?.events).toHaveLength(3);
  await second.close();
});

test("a batch keeps its border if it cannot be taken back on the disk", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  await outbox.append(batchOf('{"n":1}'));
  const reader = outbox.reader("clickhouse");
  const alone = await reader.next(wideBounds);
  await outbox.append(batchOf('{"n":2}'));
  disk.fault = () => ({ code: "EIO" });
  if (alone) await expect(reader.takeBack(alone)).rejects.toThrow("cannot write the cursor");
  disk.fault = () => undefined;
  expect((await reader.next(wideBounds))?.events).toHaveLength(1);
  await outbox.close();
});

test("a batch that is not the last one handed out is not taken back", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk() });
  await outbox.append(batchOf('{"n":1}', '{"n":2}'));
  const reader = outbox.reader("clickhouse");
  const first = await reader.next({ maxEvents: 1, maxBytes: 1000 });
  if (first) await reader.acknowledge(first);
  const second = await reader.next({ maxEvents: 1, maxBytes: 1000 });
  if (first) await reader.takeBack(first);
  await outbox.append(batchOf('{"n":3}'));
  expect(await reader.next(wideBounds)).toEqual(second);
  await outbox.close();
});

test("an acknowledged batch is not handed out again after a restart", async () => {
  const disk = createMemoryDisk();
  const before = await openTestOutbox({ dir, files: disk });
  await before.append(batchOf('{"n":1}', '{"n":2}', '{"n":3}'));
  const reader = before.reader("clickhouse");
  const batch = await reader.next({ maxEvents: 2, maxBytes: 1000 });
  if (batch) await reader.acknowledge(batch);
  await before.close();
  const after = await openTestOutbox({ dir, files: disk });
  expect(await drain(after.reader("clickhouse"))).toEqual(['{"n":3}']);
});

test("a batch is bounded in bytes, and contains at least one event of any size", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk() });
  await outbox.append(batchOf('{"n":"a long one"}', "{}", "{}", "{}"));
  const reader = outbox.reader("clickhouse");
  const sizes: number[] = [];
  for (let batch = await reader.next({ maxEvents: 9, maxBytes: 4 }); batch; ) {
    sizes.push(batch.events.length);
    await reader.acknowledge(batch);
    batch = await reader.next({ maxEvents: 9, maxBytes: 4 });
  }
  expect(sizes).toEqual([1, 2, 1]);
});

test("a batch continues from one segment into the next", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk(), segmentBytes: 200 });
  const documents = Array.from({ length: 20 }, (_, n) => `{"n":${n}}`);
  for (const document of documents) await outbox.append(batchOf(document));
  expect(outbox.counts().segments).toBeGreaterThan(5);
  expect(documentsOf(await outbox.reader("clickhouse").next(wideBounds))).toEqual(documents);
});

test("a frame larger than one read is handed out whole", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk() });
  const large = JSON.stringify("x".repeat(700_000));
  await outbox.append(batchOf("{}", large, "{}"));
  await outbox.append(batchOf(large));
  expect(await drain(outbox.reader("clickhouse"))).toEqual(["{}", large, "{}", large]);
});

test("a batch is read from where the one before it ended", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  // Each event is larger than one read.
  const large = JSON.stringify("x".repeat(300_000));
  for (let n = 0; n < 10; n++) await outbox.append(batchOf(large));
  const reader = outbox.reader("clickhouse");
  const reads: number[] = [];
  for (let n = 0; n < 10; n++) {
    let count = 0;
    disk.fault = (operation) => {
      if (operation === "read") count++;
      return undefined;
    };
    const batch = await reader.next({ maxEvents: 1, maxBytes: 1_000_000 });
    if (batch) await reader.acknowledge(batch);
    reads.push(count);
  }
  // Its own frame, and the header of the next one.
  expect(Math.max(...reads)).toBeLessThanOrEqual(5);
});

test("a segment is removed when every output has passed it, and not before", async () => {
  using folder = temporaryFolder();
  const outputs = ["clickhouse", "elasticsearch"];
  const outbox = await openTestOutbox({ dir: folder.path, outputs, segmentBytes: 200 });
  for (let n = 0; n < 20; n++) await outbox.append(batchOf(`{"n":${n}}`));
  const count = segmentsIn(folder.path).length;
  await drain(outbox.reader("clickhouse"));
  expect(segmentsIn(folder.path)).toHaveLength(count);
  await drain(outbox.reader("elasticsearch"));
  await outbox.close();
  expect(segmentsIn(folder.path)).toHaveLength(1);
});

test("a slow output does not delay another", async () => {
  const outputs = ["clickhouse", "elasticsearch"];
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk(), outputs });
  await outbox.append(batchOf("{}", "{}"));
  await drain(outbox.reader("clickhouse"));
  expect(outbox.reader("clickhouse").waiting().events).toBe(0);
  expect(outbox.reader("elasticsearch").waiting().events).toBe(2);
});

test("number, bytes and age of pending events follow the acknowledgements", async () => {
  let time = 1000;
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk(), now: () => time, segmentBytes: 200 });
  const reader = outbox.reader("clickhouse");
  const empty = { events: 0, bytes: 0, oldestReceivedAt: undefined };
  expect(reader.waiting()).toEqual(empty);
  for (time = 1000; time < 1010; time++) await outbox.append(batchOf("{}"));
  const frame = 40 + "spip-001\n{}\n".length;
  expect(reader.waiting()).toEqual({ events: 10, bytes: 10 * frame, oldestReceivedAt: 1000 });
  const batch = await reader.next({ maxEvents: 7, maxBytes: 1000 });
  expect(reader.waiting().events).toBe(10);
  if (batch) await reader.acknowledge(batch);
  expect(reader.waiting()).toEqual({ events: 3, bytes: 3 * frame, oldestReceivedAt: 1007 });
  await drain(reader);
  expect(reader.waiting()).toEqual(empty);
});

test("the pending events are the same after a restart in the middle of a frame", async () => {
  const disk = createMemoryDisk();
  const before = await openTestOutbox({ dir, files: disk, now: () => 77 });
  await before.append(batchOf("{}", "{}", "{}"));
  const reader = before.reader("clickhouse");
  const batch = await reader.next({ maxEvents: 1, maxBytes: 1000 });
  if (batch) await reader.acknowledge(batch);
  const waiting = reader.waiting();
  await before.close();
  expect(waiting).toMatchObject({ events: 2, oldestReceivedAt: 77 });
  expect((await openTestOutbox({ dir, files: disk })).reader("clickhouse").waiting()).toEqual(waiting);
});

test("an append wakes a waiting reader", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk() });
  let isWoken = false;
  const woken = outbox
    .reader("clickhouse")
    .whenAppended(new AbortController().signal)
    .then(() => {
      isWoken = true;
    });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isWoken).toBe(false);
  await outbox.append(batchOf("{}"));
  await woken;
});

test("an append between an empty `next` and the wait is not missed", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk() });
  const reader = outbox.reader("clickhouse");
  expect(await reader.next(wideBounds)).toBeUndefined();
  await outbox.append(batchOf("{}"));
  await reader.whenAppended(new AbortController().signal);
});

test("an abort ends the wait", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk() });
  const controller = new AbortController();
  const wait = outbox.reader("clickhouse").whenAppended(controller.signal);
  controller.abort();
  await wait;
});

test("acknowledging a batch that was not handed out throws and moves nothing", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk() });
  await outbox.append(batchOf("{}"));
  const reader = outbox.reader("clickhouse");
  await expect(reader.acknowledge({ firstSequence: 1, lastSequence: 1, events: [] })).rejects.toThrow(
    /^BUG: /,
  );
  expect(reader.waiting().events).toBe(1);
});

test("the id stays the same after a restart and differs between outboxes", async () => {
  const disk = createMemoryDisk();
  const first = await openTestOutbox({ dir, files: disk });
  await first.close();
  const again = await openTestOutbox({ dir, files: disk });
  const other = await openTestOutbox({ dir, files: createMemoryDisk() });
  expect(first.id).toMatch(/^[0-9a-f]{32}$/);
  expect([again.id === first.id, other.id === first.id]).toEqual([true, false]);
});

test("sequence numbers continue after everything was delivered and removed", async () => {
  const disk = createMemoryDisk();
  for (const expected of [1, 11, 21]) {
    const outbox = await openTestOutbox({ dir, files: disk, segmentBytes: 100 });
    for (let n = 0; n < 10; n++) await outbox.append(batchOf("{}"));
    const reader = outbox.reader("clickhouse");
    const batch = await reader.next(wideBounds);
    expect(batch).toMatchObject({ firstSequence: expected, lastSequence: expected + 9 });
    if (batch) await reader.acknowledge(batch);
    await outbox.close();
  }
});

test("a restart after everything was delivered removes the old segment and logs nothing", async () => {
  const disk = createMemoryDisk();
  const before = await openTestOutbox({ dir, files: disk });
  await before.append(batchOf("{}", "{}"));
  await drain(before.reader("clickhouse"));
  await before.close();
  const outbox = await openTestOutbox({ dir, files: disk });
  expect(outbox.log.lines).toEqual([]);
  expect([...disk.entries.keys()].filter((path) => path.endsWith(".seg"))).toEqual([
    `${dir}/00000000000000000003.seg`,
  ]);
});

test('every log line of the outbox has the component "outbox"', async () => {
  const components: string[] = [];
  const log = recordingLog();
  const component = (name: string) => {
    components.push(name);
    return log;
  };
  const files = createMemoryDisk();
  await openOutbox({
    dir,
    maxBytes: 1_000_000,
    onFull: "reject",
    outputs: [],
    files,
    log: { ...silentLog, component },
  });
  expect(components).toEqual(["outbox"]);
});

test("a closed outbox refuses batches", async () => {
  const outbox = await openTestOutbox({ dir, files: createMemoryDisk() });
  await outbox.close();
  await expect(outbox.append(batchOf("{}"))).rejects.toThrow(new CannotKeep("shutting down"));
  expect(outbox.problem()).toBe("shutting down");
});

test("a batch that is being written when the outbox is closed is kept", async () => {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  const append = outbox.append(batchOf('{"n":1}'));
  await outbox.close();
  await append;
  expect(await drain((await openTestOutbox({ dir, files: disk })).reader("clickhouse"))).toEqual(['{"n":1}']);
});

test("directories and files are accessible only to their owner", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "new/outbox");
  const outbox = await openTestOutbox({ dir: path });
  await outbox.append(batchOf("{}"));
  const modeOf = (name: string) => statSync(join(path, name)).mode & 0o777;
  expect([modeOf("."), modeOf("cursors"), modeOf("damaged")]).toEqual([0o700, 0o700, 0o700]);
  const names = [segmentsIn(path)[0] ?? "", "cursors/clickhouse.cursor", "lock", "lock.holder"];
  expect(names.map(modeOf)).toEqual([0o600, 0o600, 0o600, 0o600]);
  await outbox.close();
});
