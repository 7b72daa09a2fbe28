import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createProcessResources } from "../../server/telemetry/process-resources.ts";
import { until } from "../support/until.ts";
import { createWoundClock } from "../support/wound-clock.ts";

test("CPU use is that of the time between two samples", () => {
  const clock = createWoundClock();
  const used = { user: 5_000_000, system: 0 };
  const resources = createProcessResources({
    directory: undefined,
    monotonic: clock.monotonic,
    cpuUsage: () => used,
  });
  expect(resources.cpuCores).toBe(0);
  used.user += 1_000_000;
  clock.advance(4000);
  expect(resources.cpuCores).toBe(0.25);
  clock.advance(6000);
  used.system += 4_000_000;
  resources.sample();
  expect(resources.cpuCores).toBe(0.5);
  clock.advance(10_000);
  resources.sample();
  expect(resources.cpuCores).toBe(0);
});

test("the real process uses memory, and its disk has free space", async () => {
  const resources = createProcessResources({ directory: tmpdir() });
  expect(resources.residentBytes).toBeGreaterThan(10_000_000);
  const disk = await until("the disk", () => resources.disk);
  expect(disk.totalBytes).toBeGreaterThan(disk.freeBytes);
  expect(disk.freeBytes).toBeGreaterThan(0);
});

test("the disk of a removed directory is unknown", async () => {
  const directory = mkdtempSync(join(tmpdir(), "loom-resources-"));
  const resources = createProcessResources({ directory });
  await until("the disk", () => resources.disk);
  rmSync(directory, { recursive: true });
  await until("no disk", () => {
    resources.sample();
    return resources.disk === undefined;
  });
});
