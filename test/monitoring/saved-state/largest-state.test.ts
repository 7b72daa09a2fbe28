import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Chronicle } from "../../../server/monitoring/history/chronicle.ts";
import { stepLevels } from "../../../server/monitoring/history/step-ring.ts";
import { RefusalRecords } from "../../../server/monitoring/refusals/refusal-records.ts";
import { AttackSlice } from "../../../server/monitoring/rollups/attack-slice.ts";
import { numberKey, type SavedPart } from "../../../server/monitoring/saved-state/saved-entries.ts";
import {
  openStateDatabase,
  type StateDatabase,
  type Write,
} from "../../../server/monitoring/saved-state/state-database.ts";
import { SensorActivity } from "../../../server/monitoring/sensors/sensor-activity.ts";
import { createRandom } from "../../support/random.ts";
import { createWoundClock } from "../../support/wound-clock.ts";
import { createSampled } from "../sampled.ts";

const root = mkdtempSync(join(tmpdir(), "loom-largest-state-"));
afterAll(() => rmSync(root, { recursive: true }));

const sensors = 1_000;
/** The counters of outputs and enrichment. */
const otherCounters = 50;
const maxFileBytes = 20_000_000;
/** The closed slices of all windows, and an open one of each length. */
const slices = { "slices 1m": 6, "slices 5m": 13, "slices 60m": 25, "slices 1440m": 31 };

const random = createRandom(12);
const digits = () => String(1_000_000_000 + random.below(1_000_000_000));
const texts = { path: 200, userAgent: 200, ja4: 40, asOrganizationName: 40, cityName: 20, countryName: 20 };

/** A slice in which no two events are alike, with texts that hardly compress. */
function fullSlice() {
  const sampled = createSampled();
  const slice = new AttackSlice();
  const text = (length: number) =>
    Buffer.from(Array.from({ length: (length * 3) / 4 }, () => random.below(256))).toString("base64");
  for (let i = 0; i < 300; i++)
    slice.add(
      sampled({
        ...Object.fromEntries(Object.entries(texts).map(([field, length]) => [field, text(length)])),
        address: `2001:db8:${digits()}:${digits()}`,
        asNumber: random.below(2 ** 31),
        port: random.below(65_536),
        countryIsoCode: String.fromCharCode(65 + random.below(26), 65 + random.below(26)),
        location: { lat: random.below(18_000) / 100 - 90, lon: random.below(36_000) / 100 - 180 },
      }).fields,
    );
  slice.prune();
  return { isOpen: false, ...slice.save() };
}

/** The activity and the refused requests of all sensors, each with as many different values as are held. */
function sensorParts(): SavedPart[] {
  const clock = createWoundClock();
  const chronicle = new Chronicle({ clock });
  const activity = new SensorActivity(chronicle);
  const refusals = new RefusalRecords({
    claimOf: (id) => ({ text: id ?? undefined, sensorId: id?.startsWith("s") ? id : undefined }),
    chronicle,
  });
  const sampled = createSampled();
  for (let sensor = 0; sensor < sensors; sensor++) {
    const sensorId = `sensor-${sensor}-${digits()}`;
    for (let i = 0; i < 33; i++) {
      clock.advance(random.below(100_000));
      activity.noteBatch(sensorId, clock.now());
      activity.noteEvent(
        sampled({
          sensorId,
          port: random.below(65_536),
          asNumber: random.below(2 ** 31),
          asOrganizationName: digits().repeat(2),
          countryIsoCode: "SE",
        }),
      );
    }
    const refused = { detail: digits().repeat(30), client: `2001:db8::${digits()}` };
    for (let i = 0; i < 3; i++) {
      refusals.note({ ...refused, reason: "invalid_request", sensorId, claimedId: null, client: digits() });
      refusals.note({ ...refused, reason: "unauthorized", sensorId: "unknown", claimedId: sensorId });
      refusals.note({ ...refused, reason: "unauthorized", sensorId: "unknown", claimedId: digits() });
    }
  }
  return [
    { changes: () => activity.timeChanges() },
    { changes: () => activity.countChanges() },
    { changes: () => refusals.sensorChanges() },
    { changes: () => refusals.groupChanges() },
  ];
}

function writeAll(
  database: StateDatabase,
  values: Iterable<{ kind: string; key: string; value: unknown }>,
): void {
  const writes: Write[] = [];
  for (const { kind, key, value } of values) {
    writes.push({ kind, key, json: JSON.stringify(value) });
    if (writes.length === 100) database.write(writes.splice(0), []);
  }
  database.write(writes, []);
}

function* stepValues() {
  for (const { name, steps, stepMs } of stepLevels)
    for (let step = 0; step <= steps; step++) {
      // Up to 20 events a second from each sensor.
      const value = Array.from({ length: sensors + otherCounters }, (_, id) => [
        id,
        random.below(stepMs / 50),
      ]).flat();
      yield { kind: `steps ${name}`, key: numberKey(step), value };
    }
}

function* sliceValues() {
  for (const [kind, count] of Object.entries(slices))
    for (let index = 0; index < count; index++) yield { kind, key: numberKey(index), value: fullSlice() };
}

test("1,000 sensors with all their history, full top lists and full lists of refused requests fit in 20 MB", () => {
  const path = join(root, "dashboard.db");
  const { database } = openStateDatabase(path);
  let largestBytes = 0;
  const measure = () => {
    const sizes = [path, `${path}-wal`].map((name) => statSync(name, { throwIfNoEntry: false })?.size ?? 0);
    largestBytes = Math.max(
      largestBytes,
      sizes.reduce((sum, size) => sum + size, 0),
    );
  };
  for (const values of [stepValues(), sliceValues(), ...sensorParts().map((part) => part.changes())]) {
    writeAll(
      database,
      [...values].filter((change) => "value" in change),
    );
    measure();
  }
  database.close();
  measure();
  expect(largestBytes).toBeLessThanOrEqual(maxFileBytes);
  const counts = new Map<string, number>();
  const opened = openStateDatabase(path);
  opened.database.close();
  for (const [kind] of opened.entries) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const { name, steps } of stepLevels)
    expect([name, counts.get(`steps ${name}`)]).toEqual([name, steps + 1]);
  for (const [kind, count] of Object.entries(slices)) expect([kind, counts.get(kind)]).toEqual([kind, count]);
  expect(counts.get("sensor times")).toBe(sensors);
}, 120_000);
