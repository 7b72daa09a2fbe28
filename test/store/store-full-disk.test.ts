import { expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { CannotStore } from "../../server/store/store-errors.ts";
import { canMountSmallDisks, fillDisk, mountSmallDisk } from "../support/small-disk.ts";
import { documentsOf } from "../support/store-reader.ts";
import { dayMs, documents, eventsOf, openWriter, startMs } from "./stores.ts";

const outbox = "outbox-1";

/** Each test writes thousands of events and syncs them. */
setDefaultTimeout(60_000);
const isPossible = canMountSmallDisks();
const mebi = 1024 ** 2;

test.skipIf(!isPossible)("a disk that becomes full loses the oldest days, and new events are stored", () => {
  using disk = mountSmallDisk(2 * mebi);
  const dir = join(disk.folder, "store");
  using store = openWriter(dir);
  const total = 60_000;
  for (let first = 1; first <= total; first += 500)
    store.writer.append(outbox, eventsOf(first, 500, startMs + Math.floor(first / 3_000) * dayMs));
  const { events, expiredEvents } = store.writer.report;
  expect(expiredEvents).toBeGreaterThan(0);
  expect(events + expiredEvents).toBe(total);
  expect(documentsOf(dir)).toEqual(documents(1 + expiredEvents, events));
});

test.skipIf(!isPossible)(
  "a full disk with only one day refuses, loses nothing, and stores again when it has room",
  () => {
    using disk = mountSmallDisk(4 * mebi);
    const dir = join(disk.folder, "store");
    using store = openWriter(dir);
    store.writer.append(outbox, eventsOf(1, 1_000));
    const filler = fillDisk(disk.folder);
    let stored = 1_000;
    const refusals: unknown[] = [];
    while (refusals.length === 0)
      try {
        store.writer.append(outbox, eventsOf(stored + 1, 1_000));
        stored += 1_000;
      } catch (error) {
        refusals.push(error);
      }
    expect(refusals[0]).toBeInstanceOf(CannotStore);
    expect(refusals[0]).toMatchObject({ isBlocked: false });
    expect(() => store.writer.append(outbox, eventsOf(stored + 1, 1_000))).toThrow(CannotStore);
    rmSync(filler);
    store.writer.append(outbox, eventsOf(stored + 1, 1_000));
    expect(documentsOf(dir)).toEqual(documents(1, stored + 1_000));
  },
);

test.skipIf(!isPossible)("a store that is opened on a full disk can be used when it has room", () => {
  using disk = mountSmallDisk(4 * mebi);
  const dir = join(disk.folder, "store");
  openWriterAndStore(dir);
  const filler = fillDisk(disk.folder);
  using store = openWriter(dir);
  expect(() => store.writer.append(outbox, eventsOf(1_001, 5_000))).toThrow(CannotStore);
  rmSync(filler);
  store.writer.append(outbox, eventsOf(1_001, 5_000));
  expect(documentsOf(dir)).toEqual(documents(1, 6_000));
});

function openWriterAndStore(dir: string): void {
  using store = openWriter(dir);
  store.writer.append(outbox, eventsOf(1, 1_000));
}
