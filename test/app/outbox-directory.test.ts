import { expect, setDefaultTimeout, test } from "bun:test";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { maxTestMs, parseLog, plainConfig, startExecutable } from "../support/executable.ts";
import { startFaultyElasticsearch } from "../support/faulty-outputs.ts";
import { untilDrained } from "../support/metrics.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

function configFor(output: string): string {
  return `${plainConfig}
[output]
type = "elasticsearch"
${output}
[output.outbox]
dir = "outbox"
flush_interval_ms = 20
retry_backoff_ms = 10
retry_max_backoff_ms = 100
`;
}

async function answerOf(url: string): Promise<readonly [number, string]> {
  const response = await fetch(url);
  return [response.status, await response.text()];
}

test("an outbox directory that is removed turns everything red, and Loom still stops", async () => {
  await using output = await startFaultyElasticsearch();
  output.fault = () => "unavailable";
  await using loom = await startExecutable({ config: configFor(output.config) });
  expect(await send(loom.ingestUrl, '[{"n":1}]')).toBe(204);
  rmSync(join(loom.folder, "outbox"), { recursive: true });
  await until("ingest is not ready", async () => {
    return (await answerOf(`${loom.managementUrl}/ready/ingest`))[0] === 503;
  });
  const reason = "outbox: the directory outbox was removed";
  expect(await answerOf(`${loom.managementUrl}/ready/ingest`)).toEqual([503, reason]);
  expect(await answerOf(`${loom.managementUrl}/ready`)).toEqual([503, reason]);
  expect(await send(loom.ingestUrl, '[{"n":2}]')).toBe(503);
  await loom.logged(
    "batches are refused; put the same directory back, or restart Loom, which continues with what is there",
    { reason },
  );
  loom.signal("SIGTERM");
  expect(await loom.exited).toBe(0);
});

test("an outbox directory that is moved away and put back loses nothing", async () => {
  await using output = await startFaultyElasticsearch();
  output.fault = () => "unavailable";
  await using loom = await startExecutable({ config: configFor(output.config) });
  const dir = join(loom.folder, "outbox");
  const isReady = async () => (await answerOf(`${loom.managementUrl}/ready/ingest`))[0] === 200;
  expect(await send(loom.ingestUrl, '[{"n":1}]')).toBe(204);
  renameSync(dir, `${dir}.elsewhere`);
  await until("ingest is not ready", async () => !(await isReady()));
  await output.heal();
  // The batch in flight may be delivered; nothing else can be read while the directory is away.
  renameSync(`${dir}.elsewhere`, dir);
  await until("ingest is ready", isReady);
  expect(await send(loom.ingestUrl, '[{"n":2}]')).toBe(204);
  await untilDrained(loom.managementUrl, "elasticsearch");
  expect(output.documents()).toEqual(['{"n":1}', '{"n":2}']);
  loom.signal("SIGTERM");
  expect(await loom.exited).toBe(0);
  expect(parseLog(loom.stderrText()).filter(({ msg }) => msg.includes("damaged"))).toEqual([]);
});
