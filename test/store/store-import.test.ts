import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { StoreRow } from "../../server/store/docs-chunk.ts";
import { checkSegments, documentsOf, readStore, storeFiles } from "../support/store-reader.ts";
import { dayMs, documents, eventsOf, openWriter, startMs, temporaryFolder } from "./stores.ts";

const outbox = "outbox-1";

/** Each test writes thousands of events and syncs them. */
setDefaultTimeout(60_000);

/** Rows without a sequence number, from 1,000,001. */
function importedRows(count: number, receivedAt: number, first = 1): StoreRow[] {
  return eventsOf(1_000_000 + first, count, receivedAt).map(({ sequence: _, ...row }) => row);
}

describe("an import", () => {
  test("does not change which events of the outbox count as stored, also after a restart", () => {
    using folder = temporaryFolder();
    {
      using store = openWriter(folder.path);
      store.writer.append(outbox, eventsOf(1, 10));
      store.writer.appendImported(importedRows(5, startMs - 3 * dayMs));
      store.writer.append(outbox, eventsOf(6, 10));
      store.writer.appendImported(importedRows(5, startMs - 2 * dayMs, 6));
    }
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(11, 10));
    expect(documentsOf(folder.path)).toEqual([
      ...documents(1, 10),
      ...documents(1_000_001, 5),
      ...documents(11, 5),
      ...documents(1_000_006, 5),
      ...documents(16, 5),
    ]);
  });

  test("stores rows of the day of the open file in this file, and of other days in files of their own", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(1, 10));
    store.writer.appendImported(importedRows(10, startMs));
    store.writer.appendImported(importedRows(10, startMs - 4 * dayMs));
    expect(storeFiles(folder.path)).toEqual(["2026-11-03-1.db", "2026-10-30-21.db"]);
  });

  test("of rows whose days are mixed makes one file for each day", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path);
    const rows = importedRows(3_000, 0).map((row, i) => ({
      ...row,
      receivedAt: startMs - (i % 7) * 2 * dayMs,
    }));
    store.writer.appendImported(rows);
    expect(storeFiles(folder.path).length).toBe(7);
    expect(documentsOf(folder.path).toSorted()).toEqual(documents(1_000_001, 3_000).toSorted());
    store.writer.append(outbox, eventsOf(1, 1, startMs + 2 * dayMs));
    expect(checkSegments(folder.path)).toBe(3_000);
  });

  test("keeps the order of rows that are late by less than a day", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path);
    const midnight = startMs + dayMs / 2;
    const rows = importedRows(100, 0).map((row, i) => ({
      ...row,
      receivedAt: midnight + (i - 50) * 1_000 + (i % 3) * 9_000,
    }));
    store.writer.appendImported(rows);
    expect(documentsOf(folder.path)).toEqual(documents(1_000_001, 100));
    expect(storeFiles(folder.path).length).toBe(2);
  });
});

describe("imported files that follow newer ones", () => {
  test("are removed when their own day is too long ago", () => {
    using folder = temporaryFolder();
    let nowMs = startMs;
    using store = openWriter(folder.path, { maxDays: 5, now: () => nowMs });
    store.writer.append(outbox, eventsOf(1, 10));
    store.writer.appendImported(importedRows(10, startMs - 3 * dayMs));
    store.writer.append(outbox, eventsOf(11, 10));
    store.writer.maintain();
    expect(store.writer.report.events).toBe(30);
    nowMs = startMs + 3 * dayMs;
    store.writer.maintain();
    expect(documentsOf(folder.path)).toEqual(documents(1, 20));
    expect(store.writer.report.expiredEvents).toBe(10);
  });

  test("are removed before newer ones when the store is full", () => {
    using folder = temporaryFolder();
    let sizeBytes = 0;
    {
      using store = openWriter(folder.path);
      store.writer.append(outbox, eventsOf(1, 2_000));
      store.writer.appendImported(importedRows(2_000, startMs - 3 * dayMs));
      store.writer.append(outbox, eventsOf(2_001, 10));
      store.writer.maintain();
      sizeBytes = store.writer.report.sizeBytes;
    }
    using store = openWriter(folder.path, { maxBytes: sizeBytes - 100_000 });
    store.writer.maintain();
    expect(documentsOf(folder.path)).toEqual(documents(1, 2_010));
  });
});

describe("prune", () => {
  test("removes the files of earlier days and keeps the others", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path);
    for (let day = 0; day < 5; day++)
      store.writer.append(outbox, eventsOf(1 + day * 10, 10, startMs + day * dayMs));
    store.writer.prune(Math.floor(startMs / dayMs) + 2);
    expect(documentsOf(folder.path)).toEqual(documents(21, 30));
  });

  test("of the newest file keeps the position, so that events that are delivered again are not stored", () => {
    using folder = temporaryFolder();
    {
      using store = openWriter(folder.path);
      store.writer.append(outbox, eventsOf(1, 10));
      store.writer.prune(Math.floor(startMs / dayMs) + 1);
      expect(store.writer.report.events).toBe(0);
    }
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(6, 10));
    expect(readStore(folder.path).rows.map(({ row, document }) => [row, document])).toEqual(
      documents(11, 5).map((document, i) => [11 + i, document]),
    );
  });
});
