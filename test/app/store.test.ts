import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { maxTestMs, parseLog, plainConfig, runExecutable, startExecutable } from "../support/executable.ts";
import { untilDrained } from "../support/metrics.ts";
import { findDiscrepancies, noDiscrepancies, startNumberedLoad } from "../support/numbered-load.ts";
import { createRandom } from "../support/random.ts";
import { checkSegments, documentsOf, storeFiles } from "../support/store-reader.ts";
import { until } from "../support/until.ts";

const kills = Number(process.env.LOOM_KILLS ?? 20);
const seed = 20261125;
const maxLifeMs = 400;
/** About the time that a start takes. */
const maxStartMs = 200;

setDefaultTimeout(maxTestMs + kills * 2_000);

const root = mkdtempSync(join(tmpdir(), "loom-store-app-"));
afterAll(() => rmSync(root, { recursive: true }));

function configFor(name: string): string {
  return `${plainConfig}
[limits]
per_sensor_rps = -1
[output]
type = "store"
store_dir = "${join(root, name, "store")}"
[output.outbox]
dir = "${join(root, name, "outbox")}"
flush_interval_ms = 20
max_batch_size = 200
retry_backoff_ms = 10
retry_max_backoff_ms = 100
`;
}

test(`killed ${kills} times, every acknowledged event is in the store once and in order`, async () => {
  const random = createRandom(seed);
  const config = configFor("killed");
  const dir = join(root, "killed", "store");
  const load = startNumberedLoad(seed);
  for (let kill = 0; kill < kills; kill++) {
    if (random.below(5) === 0) {
      await using starting = runExecutable({ config });
      // The test varies the moment of the kill, so the moment must not depend on anything that Loom does.
      await Bun.sleep(random.below(maxStartMs));
      starting.signal("SIGKILL");
      await starting.exited;
      continue;
    }
    await using loom = await startExecutable({ config });
    const answeredBefore = load.acknowledgedCount();
    load.sendTo(loom.ingestUrl);
    await until("a batch is kept", () => load.acknowledgedCount() > answeredBefore);
    await Bun.sleep(random.below(maxLifeMs));
    loom.signal("SIGKILL");
    load.sendTo(undefined);
    await loom.exited;
    assertNoErrors(loom.stderrText());
  }

  await using loom = await startExecutable({ config });
  load.sendTo(loom.ingestUrl);
  const answeredBefore = load.acknowledgedCount();
  await until("batches are kept", () => load.acknowledgedCount() > answeredBefore + 10);
  await load.stop();
  await untilDrained(loom.managementUrl, "store");
  loom.signal("SIGTERM");
  expect(await loom.exited).toBe(0);
  assertNoErrors(loom.stderrText());
  expect(findDiscrepancies(load.batches, documentsOf(dir))).toEqual(noDiscrepancies);
  checkSegments(dir);
});

test("a clean stop leaves plain files", async () => {
  const config = configFor("stopped");
  await using loom = await startExecutable({ config });
  const load = startNumberedLoad(seed);
  load.sendTo(loom.ingestUrl);
  await until("batches are kept", () => load.acknowledgedCount() > 10);
  await load.stop();
  loom.signal("SIGTERM");
  expect(await loom.exited).toBe(0);
  const dir = join(root, "stopped", "store");
  expect(storeFiles(dir).length).toBe(1);
  expect(readdirSync(dir).filter((name) => /-(?:wal|shm|journal)$/.test(name))).toEqual([]);
});

/** A kill needs no operator, so nothing is logged as an error. */
function assertNoErrors(stderrText: string): void {
  expect(parseLog(stderrText).filter(({ level }) => level === "error")).toEqual([]);
}
