import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfiguredOutput } from "../../server/outputs/descriptor.ts";
import type { DirectOutput, Output } from "../../server/outputs/output.ts";
import type { OutputReport } from "../../server/outputs/output-report.ts";
import { startOutputs } from "../../server/outputs/outputs.ts";
import type { EnrichedBatch } from "../../server/pipeline.ts";
import { parseConfig } from "../config/parse.ts";
import { silentLog } from "../support/log.ts";
import { until } from "../support/until.ts";

const dir = mkdtempSync(join(tmpdir(), "loom-outputs-"));
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  rmSync(dir, { recursive: true, force: true });
});

const batch: EnrichedBatch = { sensorId: "vps-1", eventCount: 1, lines: Buffer.from('{"n":1}\n') };

/** An output that records what happens to it, and can keep events itself if `isDirect`. */
function recordingOutput(name: string, isDirect: boolean) {
  const happened: string[] = [];
  let problem: string | undefined;
  const direct: DirectOutput = {
    async keep() {
      happened.push("kept");
    },
    problem: () => problem,
    report: () => ({ output: name, keptEvents: 7 }) as OutputReport,
    async stop() {
      happened.push("stopped");
    },
  };
  const output: Output = {
    name,
    ...(isDirect && { direct }),
    async send() {
      happened.push("sent");
      return { kind: "delivered" };
    },
    close() {
      happened.push("closed");
    },
  };
  const configured: ConfiguredOutput = {
    name,
    isBuilt: true,
    needsOutbox: !isDirect,
    create: () => output,
    openHistory: undefined,
    storeLocation: undefined,
  };
  function fail(reason: string): void {
    problem = reason;
  }
  return { configured, happened, fail };
}

async function start(...outputs: readonly ConfiguredOutput[]) {
  const { output } = parseConfig(
    `[server]\ntls = false\n[output.outbox]\ndir = "${dir}/outbox"\nflush_interval_ms = 1`,
    {},
  );
  const started = await startOutputs(
    { ...output, outputs },
    { log: silentLog, onFatal: () => {}, onAttempt: () => {} },
  );
  stops.push(() => started.stop(1000));
  return started;
}

describe("an output that can keep events itself", () => {
  test("is used without the outbox if it is the only one", async () => {
    const { configured, happened, fail } = recordingOutput("direct", true);
    const outputs = await start(configured);
    await outputs.keep(batch);
    expect(happened).toEqual(["kept"]);
    expect(outputs.ledger).toBeUndefined();
    expect(outputs.reports()).toEqual([{ output: "direct", keptEvents: 7 } as OutputReport]);
    fail("full");
    expect([outputs.problem(), outputs.ingestProblem()]).toEqual(["full", "full"]);
    await outputs.stop(0);
    expect(happened).toEqual(["kept", "stopped"]);
  });

  test("has an empty list of dead letters, and other outputs have none", async () => {
    const outputs = await start(recordingOutput("direct", true).configured);
    expect(await outputs.deadLetters("direct")?.list({ after: undefined, limit: 10 } as never)).toMatchObject(
      {
        total: 0,
      },
    );
    expect(outputs.deadLetters("other")).toBeUndefined();
  });

  test("is delivered to from the outbox if there are others, and its problem is reported", async () => {
    const direct = recordingOutput("direct", true);
    const other = recordingOutput("other", false);
    const outputs = await start(direct.configured, other.configured);
    await outputs.keep(batch);
    await until("both outputs got the batch", () =>
      [direct, other].every(({ happened }) => happened.includes("sent")),
    );
    expect(outputs.ledger).toBeDefined();
    expect(outputs.problem()).toBeUndefined();
    direct.fail("stalled");
    expect([outputs.problem(), outputs.ingestProblem()]).toEqual(["stalled", undefined]);
    await outputs.stop(1000);
    stops.length = 0;
    expect(direct.happened).toEqual(["sent", "closed", "stopped"]);
  });
});
