import { expect, test } from "bun:test";
import type { FileLayer } from "../../server/outbox/file-layer.ts";
import { createMemoryDisk, type MemoryDisk } from "./memory-disk.ts";
import { batchOf, openTestOutbox, wideBounds } from "./outboxes.ts";

const dir = "/outbox";
const one = { maxEvents: 1, maxBytes: 1_000_000 };
/** An event that is larger than one read, so that each is read separately. */
const large = (n: number) => `{"n":${n},"x":"${"x".repeat(300_000)}"}`;

/** The disk, with a call of `look` before and after each read, write and sync. */
function watched(disk: MemoryDisk, look: () => void): FileLayer {
  return {
    ...disk,
    async open(path, mode) {
      const file = await disk.open(path, mode);
      const looking = async <Result>(call: Promise<Result>) => {
        look();
        const result = await call;
        look();
        return result;
      };
      return {
        ...file,
        read: (target, position) => looking(file.read(target, position)),
        write: (source, position) => looking(file.write(source, position)),
        datasync: () => looking(file.datasync()),
      };
    },
  };
}

test("at every moment each kept event is either pending or acknowledged", async () => {
  let acknowledged = 0;
  const seen: number[][] = [];
  let look = () => {};
  const outbox = await openTestOutbox({ dir, files: watched(createMemoryDisk(), () => look()) });
  const reader = outbox.reader("clickhouse");
  look = () => seen.push([outbox.counts().appendedEvents, reader.waiting().events + acknowledged]);
  await outbox.append(batchOf(large(0)));
  for (let n = 1; n <= 4; n++) {
    const batch = await reader.next(one);
    await outbox.append(batchOf(large(n)));
    if (!batch) throw new Error("nothing waits");
    await reader.acknowledge(batch, () => {
      acknowledged += batch.events.length;
    });
  }
  expect(acknowledged).toBe(4);
  expect(seen.length).toBeGreaterThan(30);
  expect(seen.filter(([kept, explained]) => kept !== explained)).toEqual([]);
});

test("an event that arrives while an acknowledgement is being written has its own time of receipt", async () => {
  const disk = createMemoryDisk();
  let now = 1000;
  const outbox = await openTestOutbox({ dir, files: disk, now: () => now });
  const reader = outbox.reader("clickhouse");
  await outbox.append(batchOf("{}"));
  const batch = await reader.next(wideBounds);
  let appended: Promise<void> | undefined;
  disk.fault = (operation, path) => {
    if (operation === "write" && path.endsWith(".cursor")) {
      now = 2000;
      appended ??= outbox.append(batchOf("{}"));
    }
    return undefined;
  };
  if (batch) await reader.acknowledge(batch);
  await appended;
  expect(reader.waiting()).toMatchObject({ events: 1, oldestReceivedAt: 2000 });
});

test("the time of receipt of the oldest event is known while its batch is being acknowledged", async () => {
  const ages: unknown[] = [];
  let look = () => {};
  const files = watched(createMemoryDisk(), () => look());
  const outbox = await openTestOutbox({ dir, files, now: () => 1000 });
  const reader = outbox.reader("clickhouse");
  await outbox.append(batchOf(large(0)));
  const batch = await reader.next(one);
  await outbox.append(batchOf(large(1)));
  look = () => ages.push(reader.waiting().oldestReceivedAt);
  if (batch) await reader.acknowledge(batch);
  expect(new Set(ages)).toEqual(new Set([1000]));
});
