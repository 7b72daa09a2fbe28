import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStoreOutput } from "../../../server/outputs/store/output.ts";
import { defaultSizeLimit } from "../../../server/store/size-limit.ts";
import { MetricRegistry } from "../../../server/telemetry/metric-registry.ts";
import { parseConfig } from "../../config/parse.ts";
import { documents, eventsOf, temporaryFolder } from "../../store/stores.ts";
import { silentLog } from "../../support/log.ts";
import { documentsOf } from "../../support/store-reader.ts";

const outboxId = "outbox-1";
const { signal } = new AbortController();

function openOutput(dir: string) {
  return createStoreOutput({ dir, maxBytes: undefined, maxDays: 36_500, log: silentLog });
}

test("a delivery is stored, and stored once when it is repeated", async () => {
  using folder = temporaryFolder();
  const output = await openOutput(folder.path);
  for (let attempt = 0; attempt < 2; attempt++)
    expect(await output.send({ outboxId, events: eventsOf(1, 100) }, signal)).toEqual({ kind: "delivered" });
  await output.close();
  expect(documentsOf(folder.path)).toEqual(documents(1, 100));
});

test("events are found as soon as they are delivered", async () => {
  using folder = temporaryFolder();
  const sensors = { LOOM_SENSOR_S1: "token" };
  const settings = `[output]\ntype = "store"\nstore_dir = "${folder.path}"\nstore_max_days = 36500`;
  const [configured] = parseConfig(settings, sensors).output.outputs;
  if (!configured) throw new Error("no output is configured");
  const output = await configured.create({ log: silentLog, onFatal: () => {} });
  const history = configured.openHistory?.({ log: silentLog, isConcurrent: true });
  for (let count = 100; count <= 3_000; count += 1_450) {
    await output.send({ outboxId, events: eventsOf(1, count) }, signal);
    const query = { terms: [], since: undefined, until: undefined };
    expect(await history?.count(query)).toMatchObject({ events: count, isComplete: true });
  }
  await history?.close();
  await output.close();
});

test("the metrics have what is stored", async () => {
  using folder = temporaryFolder();
  const output = await openOutput(folder.path);
  await output.send({ outboxId, events: eventsOf(1, 100) }, signal);
  const metrics = new MetricRegistry();
  output.declareMetrics?.(metrics);
  const text = await metrics.text();
  expect(text).toContain("\nloom_store_events 100\n");
  expect(text).toContain("\nloom_store_expired_events_total 0\n");
  expect(text).toMatch(/\nloom_store_bytes [1-9]\d{4,}\n/);
  await output.close();
});

test("a second output cannot use the directory until the first is closed", async () => {
  using folder = temporaryFolder();
  const first = await openOutput(folder.path);
  await expect(openOutput(folder.path)).rejects.toThrow(`store: ${folder.path} is in use by another Loom`);
  await first.close();
  await (await openOutput(folder.path)).close();
});

test("a directory below a file ends the start with advice", async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "file"), "");
  await expect(openOutput(join(folder.path, "file/store"))).rejects.toThrow(
    "it, or a folder above it, is a file (create it for the user Loom runs as, or set output.store_dir)",
  );
});

describe("the default of the largest size", () => {
  const gibi = 1024 ** 3;
  const stored = (dir: string) => readFileSync(join(dir, "size-limit"), "latin1");

  test("is 10 GiB on a large disk", async () => {
    using folder = temporaryFolder();
    expect(await defaultSizeLimit(folder.path, 100 * gibi)).toBe(10 * gibi);
    expect(await defaultSizeLimit(folder.path, Number.POSITIVE_INFINITY)).toBe(10 * gibi);
  });

  test("is half of what is free on a smaller disk, also after the store has used it", async () => {
    using folder = temporaryFolder();
    expect(await defaultSizeLimit(folder.path, 8 * gibi)).toBe(4 * gibi);
    expect(await defaultSizeLimit(folder.path, gibi)).toBe(4 * gibi);
    expect(stored(folder.path)).toBe(`${4 * gibi}\n`);
  });

  test("is never less than what can be configured", async () => {
    using folder = temporaryFolder();
    expect(await defaultSizeLimit(folder.path, 0)).toBe(64 * 1024 ** 2);
  });

  for (const content of ["", "garbage\n", "0\n", "99999999999999999999\n"])
    test(`is decided again if the file has ${JSON.stringify(content)}`, async () => {
      using folder = temporaryFolder();
      writeFileSync(join(folder.path, "size-limit"), content);
      expect(await defaultSizeLimit(folder.path, 8 * gibi)).toBe(4 * gibi);
    });

  test("is decided by the output if the configuration sets none", async () => {
    using folder = temporaryFolder();
    await (await openOutput(folder.path)).close();
    expect(readdirSync(folder.path)).toContain("size-limit");
  });
});
