import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../server/config/load-config.ts";
import { type Loom, startLoom } from "../server/main.ts";
import { outputDescriptors } from "../server/outputs/registry.ts";
import { allMetrics } from "./support/all-metrics.ts";
import { silentLog } from "./support/log.ts";

const environment = { LOOM_SENSOR_a: "a-token" };

let folder: string;
let loom: Loom | undefined;

/** @param type as in the configuration file @param sections more sections of the file */
async function start(type = '["store", "clickhouse"]', sections = ""): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), "loom-main-"));
  const path = join(folder, "loom.toml");
  writeFileSync(
    path,
    `[server]
tls = false
listen_address = "127.0.0.1:0"
management_listen_address = "127.0.0.1:0"
[output]
type = ${type}
store_dir = "${folder}/store"
clickhouse_url = "http://127.0.0.1:9"
[output.outbox]
dir = "${folder}/outbox"
${sections}`,
  );
  const config = await loadConfig(path, environment, outputDescriptors);
  loom = await startLoom({ config, environment, log: silentLog, onFatal: () => {} });
}

afterEach(async () => {
  await loom?.stop();
  loom = undefined;
  rmSync(folder, { recursive: true });
});

test("/metrics has every metric that the reference describes, and no other one", async () => {
  await start();
  const text = await (await fetch(`http://127.0.0.1:${loom?.managementPort}/metrics`)).text();
  const described = allMetrics().metrics.descriptions.map(({ name, type }) => `${name} ${type}`);
  expect((text.match(/(?<=^# TYPE )loom_.*/gm) ?? []).toSorted()).toEqual(described.toSorted());
});

test("a history of an output that is not configured stops the start", async () => {
  const message =
    'config: dashboard: history = "store": output.type has only "clickhouse" among those that can be searched';
  await expect(start('"clickhouse"', '[dashboard]\nhistory = "store"\n')).rejects.toThrow(message);
});
