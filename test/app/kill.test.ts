import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { maxTestMs, parseLog, plainConfig, runExecutable, startExecutable } from "../support/executable.ts";
import {
  type FaultyOutput,
  startFaultyClickhouse,
  startFaultyElasticsearch,
} from "../support/faulty-outputs.ts";
import type { Fault } from "../support/faulty-server.ts";
import { untilDrained } from "../support/metrics.ts";
import { findDiscrepancies, noDiscrepancies, startNumberedLoad } from "../support/numbered-load.ts";
import { createRandom, type Random } from "../support/random.ts";
import { until } from "../support/until.ts";

const kills = Number(process.env.LOOM_KILLS ?? 20);
const seed = 20261122;
/** Measured from the first answer. It is long enough for some batches and for a recovery after a fault. */
const maxLifeMs = 400;
/** In half of the runs, Loom is killed when, or soon after, one of its first requests was committed and not answered. */
const maxDeadlyRequest = 6;
const maxAfterCommitMs = 30;
/** About the time that a start takes. */
const maxStartMs = 150;
const drainMs = 30_000;

setDefaultTimeout(maxTestMs + kills * 2_000);

const root = mkdtempSync(join(tmpdir(), "loom-kill-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Half of the requests fail. A request without an answer waits until the kill, so this fault is rare. */
const faults: readonly Fault[] = [
  ...Array<Fault>(20).fill("none"),
  ...Array<Fault>(4).fill("unavailable"),
  ...Array<Fault>(4).fill("cut"),
  ...Array<Fault>(7).fill("cut after commit"),
  ...Array<Fault>(3).fill("late"),
  "silence",
  "silence after commit",
];

test(`Elasticsearch: killed ${kills} times, every acknowledged event arrives once and in order`, async () => {
  await using output = await startFaultyElasticsearch();
  const random = createRandom(seed);
  // Elasticsearch refuses some documents of a request when its thread pool is full.
  const faultyStatus = () => (random.below(8) === 0 ? 429 : 201);
  output.statusFor = faultyStatus;
  await storm("elasticsearch", output, random, () => {
    output.statusFor = () => 201;
  });
});

test(`ClickHouse: killed ${kills} times, every acknowledged event arrives once and in order`, async () => {
  await using output = await startFaultyClickhouse();
  await storm("clickhouse", output, createRandom(seed + 1), () => {});
});

async function storm(name: string, output: FaultyOutput, random: Random, heal: () => void): Promise<void> {
  const config = configFor(name, output);
  const load = startNumberedLoad(seed);
  for (let kill = 0; kill < kills; kill++) {
    const committed = Promise.withResolvers<void>();
    let requestsLeft = random.below(2) === 0 ? 1 + random.below(maxDeadlyRequest) : Number.POSITIVE_INFINITY;
    output.fault = () => {
      if (--requestsLeft > 0) return random.pick(faults);
      committed.resolve();
      return "silence after commit";
    };
    if (random.below(4) === 0) await output.goAway();
    if (random.below(5) === 0) {
      await using starting = runExecutable({ config });
      // The test varies the moment of the kill, so the moment must not depend on anything that Loom does.
      await Bun.sleep(random.below(maxStartMs));
      starting.signal("SIGKILL");
      await starting.exited;
      assertNoErrors(starting.stderrText());
      continue;
    }
    await using loom = await startExecutable({ config });
    const answeredBefore = load.acknowledgedCount();
    load.sendTo(loom.ingestUrl);
    await until("a batch is kept", () => load.acknowledgedCount() > answeredBefore);
    const lifeMs = random.below(maxLifeMs);
    await Promise.race([committed.promise, Bun.sleep(lifeMs / 2)]);
    if (random.below(2) === 0) await output.comeBack();
    await Promise.race([committed.promise, Bun.sleep(lifeMs / 2)]);
    await Bun.sleep(random.below(maxAfterCommitMs));
    loom.signal("SIGKILL");
    load.sendTo(undefined);
    await loom.exited;
    assertNoErrors(loom.stderrText());
  }

  heal();
  await output.heal();
  await using loom = await startExecutable({ config });
  load.sendTo(loom.ingestUrl);
  const answeredBefore = load.acknowledgedCount();
  await until("batches are kept", () => load.acknowledgedCount() > answeredBefore + 10);
  await load.stop();
  await untilDrained(loom.managementUrl, name, drainMs);
  loom.signal("SIGTERM");
  expect(await loom.exited).toBe(0);
  assertNoErrors(loom.stderrText());

  expect(findDiscrepancies(load.batches, output.documents())).toEqual(noDiscrepancies);
  expect(output.conflicts).toEqual([]);
}

function configFor(name: string, output: FaultyOutput): string {
  return `${plainConfig}
[limits]
per_sensor_rps = -1
[output]
type = "${name}"
${output.config}
[output.outbox]
dir = "${join(root, name)}"
flush_interval_ms = 20
max_batch_size = 1000
retry_backoff_ms = 10
retry_max_backoff_ms = 100
`;
}

/** Neither a kill nor an output that fails for some time needs an operator, so nothing is logged as an error. */
function assertNoErrors(stderrText: string): void {
  expect(parseLog(stderrText).filter(({ level }) => level === "error")).toEqual([]);
}
