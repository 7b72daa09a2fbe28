import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { documentsOf, eventFiles, readStore, storeFiles } from "../support/store-reader.ts";
import { dayMs, documents, eventsOf, openWriter, startMs, temporaryFolder } from "./stores.ts";

const outbox = "outbox-1";

/** Each test writes thousands of events and syncs them. */
setDefaultTimeout(60_000);
const eventsPerDay = 240;

describe("by days", () => {
  test("two weeks of events with a store for five days leave the last five days and today, and are counted", () => {
    using folder = temporaryFolder();
    let nowMs = startMs;
    let expired = 0;
    for (let day = 0; day < 14; day++) {
      // Half of the days begin with a restart.
      using store = openWriter(folder.path, { maxDays: 5, now: () => nowMs });
      for (let hour = 0; hour < 24; hour++) {
        nowMs = startMs + day * dayMs + hour * 1_000_000;
        store.writer.append(outbox, eventsOf(1 + day * eventsPerDay + hour * 10, 10, nowMs));
      }
      expired += store.writer.report.expiredEvents;
    }
    const kept = 6 * eventsPerDay;
    expect(documentsOf(folder.path)).toEqual(documents(1 + 14 * eventsPerDay - kept, kept));
    expect(expired).toBe(14 * eventsPerDay - kept);
    expect(storeFiles(folder.path).length).toBe(6);
  });

  test("also the newest file is removed when no event has come for so long", () => {
    using folder = temporaryFolder();
    let nowMs = startMs;
    using store = openWriter(folder.path, { maxDays: 5, now: () => nowMs });
    store.writer.append(outbox, eventsOf(1, 10));
    nowMs += 5 * dayMs;
    store.writer.maintain();
    expect(store.writer.report.events).toBe(10);
    nowMs += dayMs;
    store.writer.maintain();
    expect(eventFiles(folder.path)).toEqual([]);
    expect(store.writer.report).toMatchObject({ events: 0, expiredEvents: 10 });
    store.writer.append(outbox, eventsOf(11, 10, nowMs));
    expect(readStore(folder.path).rows.map(({ row }) => row)[0]).toBe(11);
  });

  test("a file that was written while the clock was ahead does not hold later files", () => {
    using folder = temporaryFolder();
    let nowMs = startMs;
    using store = openWriter(folder.path, { maxDays: 5, now: () => nowMs });
    store.writer.append(outbox, eventsOf(1, 10, startMs + 9_000 * dayMs));
    for (let day = 0; day < 8; day++) {
      nowMs = startMs + day * dayMs;
      store.writer.append(outbox, eventsOf(11 + day * 10, 10, nowMs));
    }
    expect(documentsOf(folder.path)).toEqual(documents(31, 60));
  });

  test("what is removed is said", () => {
    using folder = temporaryFolder();
    let nowMs = startMs;
    using store = openWriter(folder.path, { maxDays: 1, now: () => nowMs });
    store.writer.append(outbox, eventsOf(1, 10));
    nowMs += 2 * dayMs;
    store.writer.append(outbox, eventsOf(11, 10, nowMs));
    expect(store.notes).toEqual([
      {
        level: "info",
        message: "the oldest file of the store was removed because its day is too long ago",
        fields: { file: "2026-11-03-1.db", events: 10 },
      },
    ]);
  });
});

describe("by size", () => {
  test("the oldest files are removed, the newest events stay, and all are counted", () => {
    using folder = temporaryFolder();
    const maxBytes = 1_000_000;
    using store = openWriter(folder.path, { maxBytes });
    const total = 30_000;
    for (let first = 1; first <= total; first += 500) {
      store.writer.append(outbox, eventsOf(first, 500));
      expect(store.writer.report.sizeBytes).toBeLessThanOrEqual(maxBytes);
    }
    const { events, expiredEvents } = store.writer.report;
    expect(expiredEvents).toBeGreaterThan(0);
    expect(events + expiredEvents).toBe(total);
    expect(documentsOf(folder.path)).toEqual(documents(1 + expiredEvents, events));
  });

  test("a smaller limit applies when the store is opened and maintained", () => {
    using folder = temporaryFolder();
    {
      using store = openWriter(folder.path, { maxFileBytes: 200_000 });
      for (let first = 1; first <= 10_000; first += 500) store.writer.append(outbox, eventsOf(first, 500));
    }
    using store = openWriter(folder.path, { maxBytes: 500_000 });
    store.writer.maintain();
    expect(store.writer.report.sizeBytes).toBeLessThanOrEqual(500_000);
    expect(documentsOf(folder.path).at(-1)).toBe(documents(10_000, 1)[0]);
  });
});
