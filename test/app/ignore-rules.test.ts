import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SensorsAnswer } from "../../server/management/api/answers.ts";
import {
  maxTestMs,
  plainConfig,
  type RunningLoom,
  sensorId,
  startExecutable,
} from "../support/executable.ts";
import { startFaultyElasticsearch } from "../support/faulty-outputs.ts";
import { type MetricValues, readMetrics, untilDrained } from "../support/metrics.ts";
import { createRandom } from "../support/random.ts";
import { send } from "../support/send.ts";

setDefaultTimeout(maxTestMs);

const rule = (name: string, action: "drop" | "tag", networks: readonly string[]) =>
  `[[ignore]]\nname = "${name}"\naction = "${action}"\nnetworks = ${JSON.stringify(networks)}\n`;
const withoutDatabases = `${plainConfig}\n[enrichment]\nbuiltin_databases = false\n[limits]\nper_sensor_rps = -1\n`;
const rules = [
  rule("scanners", "drop", ["198.51.100.0/24", "2001:db8::/32"]),
  rule("monitoring", "tag", ["198.51.0.0/16", "10.0.0.0/8"]),
].join("");

const event = (ip: string, n = 0) => `{"n":${n},"source":{"ip":"${ip}"}}`;
const batch = (...events: readonly string[]) => `[${events.join(",")}]`;
const linesOf = (loom: RunningLoom) => loom.stdoutBytes().toString().split("\n").slice(0, -1);

/** Loom with the rules above and stdout as the only output. */
const startWithRules = () => startExecutable({ config: withoutDatabases + rules });

/** Received events of a sensor are either kept, refused or ignored; and the ignored ones are those of the rules that drop. */
function sidesOfLedger(metrics: MetricValues, sensor_id: string) {
  const of = (name: string, labels = {}) => metrics.sum(name, { sensor_id, ...labels });
  return {
    kept: of("loom_ingest_events_total"),
    refused: of("loom_ingest_refused_events_total", { estimated: "false" }),
    ignored: of("loom_ingest_ignored_events_total"),
  };
}

function ruleEvents(metrics: MetricValues, labels: Readonly<Record<string, string>>): number {
  return metrics.sum("loom_ignore_rule_events_total", labels);
}

describe("events from the networks of a rule", () => {
  test('with the action "drop" reach no output; the other events of their batch are kept in order', async () => {
    await using loom = await startWithRules();
    const kept = [event("192.0.2.1", 1), '{"n":2}', event("203.0.113.9", 3)];
    const [first = "", second = "", third = ""] = kept;
    const status = await send(
      loom.ingestUrl,
      batch(
        event("198.51.100.7"),
        first,
        event("::ffff:198.51.100.8"),
        event("2001:DB8::1"),
        second,
        third,
        event("198.51.100.9"),
      ),
    );
    expect(status).toBe(204);
    expect(linesOf(loom)).toEqual(kept);
    const metrics = await readMetrics(loom.managementUrl);
    expect(sidesOfLedger(metrics, sensorId)).toEqual({ kept: 3, refused: 0, ignored: 4 });
    expect(ruleEvents(metrics, { rule: "scanners", action: "drop" })).toBe(4);
  });

  test('with the action "tag" are kept with the tag, those that are not public too', async () => {
    await using loom = await startWithRules();
    const tagged = '{"n":2,"tags":["own","ignored"],"source":{"ip":"10.1.2.3"}}';
    await send(
      loom.ingestUrl,
      batch(event("198.51.7.7", 1), tagged.replace(',"ignored"', ""), event("192.0.2.1", 3)),
    );
    expect(linesOf(loom).map((line) => JSON.parse(line).tags)).toEqual([
      ["ignored"],
      ["own", "ignored"],
      undefined,
    ]);
    expect(linesOf(loom).slice(1)).toEqual([tagged, event("192.0.2.1", 3)]);
    const metrics = await readMetrics(loom.managementUrl);
    expect(sidesOfLedger(metrics, sensorId)).toEqual({ kept: 3, refused: 0, ignored: 0 });
    expect(ruleEvents(metrics, { rule: "monitoring", action: "tag" })).toBe(2);
  });

  test("that are a whole batch leave stdout empty, and the sensor counts as reporting", async () => {
    await using loom = await startExecutable({
      config: withoutDatabases + rules,
      environment: { [`LOOM_SENSOR_${sensorId}`]: "fixture-token", LOOM_ADMIN_TOKEN: adminToken },
    });
    expect(await send(loom.ingestUrl, batch(event("198.51.100.1"), event("2001:db8::2")))).toBe(204);
    expect(loom.stdoutBytes()).toBeEmpty();
    const { sensors } = await sensorsOf(loom);
    expect(sensors).toEqual([
      expect.objectContaining({ state: "reporting", keptEvents: 0, keptBatches: 1, ignoredEvents: 2 }),
    ]);
  });

  test("that are a whole batch take no room in the outbox, and the next batch is delivered", async () => {
    await using server = await startFaultyElasticsearch();
    await using loom = await startExecutable({ config: outboxConfig(server.config) });
    expect(await send(loom.ingestUrl, batch(event("198.51.100.1")))).toBe(204);
    const before = await readMetrics(loom.managementUrl);
    expect(before.sum("loom_outbox_syncs_total")).toBe(0);
    expect(await send(loom.ingestUrl, batch(event("192.0.2.1", 7)))).toBe(204);
    const metrics = await untilDrained(loom.managementUrl, "elasticsearch");
    expect(server.documents()).toEqual([event("192.0.2.1", 7)]);
    expect(metrics.sum("loom_output_kept_events_total")).toBe(1);
  });
});

const adminToken = "an-admin-token-of-the-test";

async function sensorsOf(loom: RunningLoom): Promise<SensorsAnswer> {
  const session = await fetch(`${loom.managementUrl}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: adminToken }),
  });
  const cookie = session.headers.get("set-cookie")?.split(";")[0] ?? "";
  const answer = await fetch(`${loom.managementUrl}/api/v1/sensors`, { headers: { cookie } });
  return (await answer.json()) as SensorsAnswer;
}

function outboxConfig(output: string, outbox = ""): string {
  return `${withoutDatabases}
[output]
type = "elasticsearch"
${output}
[output.outbox]
dir = "outbox"
flush_interval_ms = 20
retry_backoff_ms = 10
retry_max_backoff_ms = 50
${outbox}
${rules}`;
}

describe("after SIGHUP", () => {
  function replaceConfig(loom: RunningLoom, text: string): void {
    writeFileSync(join(loom.folder, "loom.toml.new"), text);
    renameSync(join(loom.folder, "loom.toml.new"), join(loom.folder, "loom.toml"));
    loom.signal("SIGHUP");
  }

  test("the new rules apply to addresses that were seen before, and the counts go on", async () => {
    await using loom = await startWithRules();
    const events = batch(event("198.51.100.1", 1), event("203.0.113.1", 2));
    await send(loom.ingestUrl, events);
    expect(linesOf(loom)).toEqual([event("203.0.113.1", 2)]);
    replaceConfig(loom, withoutDatabases + rule("others", "drop", ["203.0.113.1"]));
    await loom.logged("reloaded", { part: "ignore rules" });
    await send(loom.ingestUrl, events);
    expect(linesOf(loom)).toEqual([event("203.0.113.1", 2), event("198.51.100.1", 1)]);
    const metrics = await readMetrics(loom.managementUrl);
    expect(sidesOfLedger(metrics, sensorId)).toEqual({ kept: 2, refused: 0, ignored: 2 });
    expect(ruleEvents(metrics, { rule: "scanners" })).toBe(1);
    expect(ruleEvents(metrics, { rule: "others" })).toBe(1);
  });

  test("a wrong file leaves the rules in use, and the log says what is wrong", async () => {
    await using loom = await startWithRules();
    replaceConfig(loom, withoutDatabases + rule("others", "drop", ["203.0.113.1/24"]));
    const [line] = await loom.logged("cannot reload; the previous content stays in use");
    expect(line).toMatchObject({ level: "error", part: "ignore rules" });
    expect(line?.error).toStartWith("config: ignore: table 1: networks is a list (item ");
    await send(loom.ingestUrl, batch(event("198.51.100.1", 1), event("203.0.113.1", 2)));
    expect(linesOf(loom)).toEqual([event("203.0.113.1", 2)]);
  });
});

test("the ledger balances at every scrape of a random mix, while a small outbox refuses batches", async () => {
  const random = createRandom(11);
  const sensors = { frankfurt: "frankfurt-token", tokyo: "tokyo-token" };
  const names = Object.keys(sensors) as (keyof typeof sensors)[];
  const environment = Object.fromEntries(names.map((name) => [`LOOM_SENSOR_${name}`, sensors[name]]));
  await using server = await startFaultyElasticsearch();
  await server.goAway();
  const config = outboxConfig(server.config, "max_bytes = 65536");
  await using loom = await startExecutable({ config, environment });
  const addresses = [
    "198.51.100.1",
    "::ffff:198.51.100.2",
    "2001:db8::3",
    "198.51.7.4",
    "192.0.2.5",
    "2a00::6",
  ];
  const isDropped = (ip: string) => /198\.51\.100|2001:db8/.test(ip);
  const sent = { frankfurt: { kept: 0, refused: 0, ignored: 0 }, tokyo: { kept: 0, refused: 0, ignored: 0 } };
  for (let round = 0; round < 120; round++) {
    if (round === 80) await server.comeBack();
    const sensor = random.pick(names);
    const ips = Array.from({ length: random.below(6) }, () => random.pick(addresses));
    const events = ips.map((ip) => event(ip, round).replace("}}", `},"x":"${"x".repeat(900)}"}`));
    const status = await send(loom.ingestUrl, batch(...events), { token: sensors[sensor] });
    const ignored = ips.filter(isDropped).length;
    if (status === 503) sent[sensor].refused += ips.length;
    else {
      expect(status).toBe(204);
      sent[sensor].ignored += ignored;
      sent[sensor].kept += ips.length - ignored;
    }
    const metrics = await readMetrics(loom.managementUrl);
    for (const name of names) expect([round, sidesOfLedger(metrics, name)]).toEqual([round, sent[name]]);
    expect(ruleEvents(metrics, { action: "drop" })).toBe(sent.frankfurt.ignored + sent.tokyo.ignored);
  }
  const metrics = await untilDrained(loom.managementUrl, "elasticsearch");
  const documents = server.documents().map((document) => JSON.parse(document));
  expect(documents).toHaveLength(sent.frankfurt.kept + sent.tokyo.kept);
  expect(documents.filter(({ source }) => isDropped(source.ip))).toEqual([]);
  expect(documents.filter(({ tags }) => tags?.includes("ignored"))).toHaveLength(
    ruleEvents(metrics, { rule: "monitoring" }),
  );
  // Every case occurred.
  for (const counts of Object.values(sent)) expect(Math.min(...Object.values(counts))).toBeGreaterThan(0);
});
