import { expect, test } from "bun:test";
import { cpSync } from "node:fs";
import type { StoreEvent } from "../../server/store/store-writer.ts";
import { createRandom, type Random } from "../support/random.ts";
import { checkSegments, documentsOf } from "../support/store-reader.ts";
import { dayMs, documents, eventsOf, openWriter, startMs, temporaryFolder } from "./stores.ts";

/*
 * Random deliveries, days, restarts and crashes. A crash is a copy of the directory at any moment, also in the middle of a
 * transaction: what the disk has if the process is killed then. After it the same delivery comes again, as from the outbox.
 */

const runs = Number(process.env.LOOM_MODEL_RUNS ?? 4);
const firstSeed = Number(process.env.LOOM_MODEL_SEED ?? 20261125);
const stepsPerRun = 40;
const outbox = "outbox-1";

for (let seed = firstSeed; seed < firstSeed + runs; seed++)
  test(`with seed ${seed}, every event is stored once and in order, whenever the process is killed`, () => {
    const random = createRandom(seed);
    let folder = temporaryFolder();
    // Small files, so that many are begun and closed.
    const options = { maxFileBytes: 50_000 + random.below(2_000_000) };
    let store = openWriter(folder.path, options);
    let stored = 0;
    let nowMs = startMs;
    for (let step = 0; step < stepsPerRun; step++) {
      if (random.below(6) === 0) nowMs += random.below(3 * dayMs);
      if (random.below(20) === 0) nowMs -= random.below(3 * dayMs);
      // A delivery may have events that are stored already, if the outbox was not told so before a kill.
      const first = Math.max(1, stored + 1 - random.below(30));
      const count = stored + 1 - first + 1 + random.below(random.pick([20, 700, 3_000]));
      const events = eventsOf(first, count, nowMs);
      const choice = random.below(5);
      if (choice === 0) {
        const copy = temporaryFolder();
        let hasCrashed = false;
        const { path } = folder;
        const crash = () => {
          cpSync(path, copy.path, { recursive: true });
          hasCrashed = true;
        };
        store.writer.append(outbox, withCrash(events, random, crash));
        if (!hasCrashed) crash();
        store[Symbol.dispose]();
        folder[Symbol.dispose]();
        folder = copy;
        store = openWriter(folder.path, options);
        const { events: left } = store.writer.report;
        expect(left).toBeGreaterThanOrEqual(stored);
        expect(left).toBeLessThanOrEqual(first + count - 1);
        store.writer.append(outbox, events);
      } else store.writer.append(outbox, events);
      stored = first + count - 1;
      if (choice === 1) {
        store[Symbol.dispose]();
        store = openWriter(folder.path, options);
      }
      expect(store.writer.report.events).toBe(stored);
    }
    expect(documentsOf(folder.path)).toEqual(documents(1, stored));
    checkSegments(folder.path);
    expect(store.messages()).toEqual([]);
    store[Symbol.dispose]();
    folder[Symbol.dispose]();
  }, 60_000);

/** The same events; when the writer reads a certain one of them for the n-th time, the process is killed. */
function withCrash(events: readonly StoreEvent[], random: Random, crash: () => void): StoreEvent[] {
  const at = random.below(events.length);
  let readsLeft = random.below(4);
  return events.map((event, i) =>
    i === at
      ? {
          ...event,
          get sensorId() {
            if (readsLeft-- === 0) crash();
            return event.sensorId;
          },
        }
      : event,
  );
}
