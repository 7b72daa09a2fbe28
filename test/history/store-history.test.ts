import { afterAll, describe, setDefaultTimeout } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StoreHistory } from "../../server/history/store-history.ts";
import { writeStore } from "../store/write-store.ts";
import { examinedEvent } from "../support/exhaustive-history.ts";
import { testsOfHistory } from "../support/history-suite.ts";
import { createRandom } from "../support/random.ts";
import { seededDocuments, seededQueries } from "../support/seeded-history.ts";

// 300 queries, each compared with a scan over all events.
setDefaultTimeout(60_000);

const newest = Date.UTC(2026, 10, 20, 12);
const stepMs = 1_000;
const count = 3_000;
const random = createRandom(11);
// Events are received in order, whatever their own time is.
const stored = seededDocuments({ seed: 1, count, newest, stepMs }).map((document, i) => ({
  sequence: i + 1,
  receivedAt: newest - (count - 1 - i) * 50 * stepMs,
  sensorId: `vps-${random.below(3)}`,
  document: Buffer.from(document),
}));
const events = stored.map(({ document, sensorId, receivedAt }) =>
  examinedEvent(document.toString(), sensorId, receivedAt),
);

describe("the history of a store", () => {
  const directory = mkdtempSync(join(tmpdir(), "loom-store-history-"));
  const writer = writeStore(directory, stored, { deliverySizes: () => 1 + random.below(400) });
  const reader = StoreHistory.inThread(directory);

  afterAll(async () => {
    await reader.close();
    writer.close();
    rmSync(directory, { recursive: true });
  });

  testsOfHistory(() => ({ reader, events }), seededQueries({ seed: 2, count: 300, newest }));
});
