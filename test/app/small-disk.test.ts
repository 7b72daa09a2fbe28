import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { maxTestMs, plainConfig, startExecutable } from "../support/executable.ts";
import { startFaultyElasticsearch } from "../support/faulty-outputs.ts";
import { untilDrained } from "../support/metrics.ts";
import { send } from "../support/send.ts";
import { canMountSmallDisks, fillDisk, mountSmallDisk } from "../support/small-disk.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const mebibyte = 1024 * 1024;
const canMount = canMountSmallDisks();
const drainMs = 30_000;

function configFor(dir: string, output: string): string {
  return `${plainConfig}
[limits]
per_sensor_rps = -1
[output]
type = "elasticsearch"
${output}
[output.outbox]
dir = "${dir}"
flush_interval_ms = 20
retry_backoff_ms = 10
retry_max_backoff_ms = 100
`;
}

/** About 400,000 bytes in four events. */
function batch(number: number): string {
  const events = Array.from({ length: 4 }, (_, n) => ({ batch: number, n, pad: "x".repeat(100_000) }));
  return JSON.stringify(events);
}

test.skipIf(!canMount)("a full disk and an event that is rejected do not stop delivery", async () => {
  using disk = mountSmallDisk(40 * mebibyte);
  await using output = await startFaultyElasticsearch();
  output.statusFor = (document) => (document.includes("rejected") ? 400 : 201);
  output.fault = () => "unavailable";
  const dir = join(disk.folder, "outbox");
  mkdirSync(dir);
  const foreign = join(disk.folder, "foreign");
  writeFileSync(foreign, Buffer.alloc(15 * mebibyte));
  await using loom = await startExecutable({ config: configFor(dir, output.config) });
  const isReady = async () => (await fetch(`${loom.managementUrl}/ready`)).status === 200;

  expect(await send(loom.ingestUrl, '[{"is":"rejected"}]')).toBe(204);
  let kept = 0;
  while ((await send(loom.ingestUrl, batch(kept))) === 204) kept++;
  expect(kept).toBeGreaterThan(20);
  expect(await isReady()).toBe(false);
  const filler = fillDisk(disk.folder);

  await output.heal();
  await untilDrained(loom.managementUrl, "elasticsearch", drainMs);
  expect(output.documents()).toHaveLength(4 * kept);
  const letters = readFileSync(join(dir, "dead-letters-elasticsearch.ndjson"), "utf8");
  expect(letters).toContain('{\\"is\\":\\"rejected\\"}');
  await loom.logged("the disk is full; the reserve is used so that delivery continues");
  await until("Loom is ready", isReady);
  expect(await send(loom.ingestUrl, batch(kept++))).toBe(204);

  rmSync(foreign);
  rmSync(filler);
  expect(await send(loom.ingestUrl, batch(kept++))).toBe(204);
  await untilDrained(loom.managementUrl, "elasticsearch", drainMs);
  expect(output.documents()).toHaveLength(4 * kept);
  expect(output.conflicts).toEqual([]);
});

const canLimitFiles = Bun.which("prlimit") !== null;
if (!canLimitFiles) console.log("skipped: no prlimit, so the size of Loom's files is not limited");

test.skipIf(!canLimitFiles)(
  "a limit on the size of files (ulimit -f) ends a segment early, and refuses nothing",
  async () => {
    await using output = await startFaultyElasticsearch();
    output.fault = () => "unavailable";
    await using loom = await startExecutable({ config: configFor("outbox", output.config) });
    const limited = Bun.spawnSync(["prlimit", "--pid", String(loom.pid), `--fsize=${mebibyte}`]);
    expect(limited.success).toBe(true);
    for (let number = 0; number < 10; number++) expect(await send(loom.ingestUrl, batch(number))).toBe(204);
    await output.heal();
    await untilDrained(loom.managementUrl, "elasticsearch", drainMs);
    expect(output.documents()).toHaveLength(40);
  },
);
