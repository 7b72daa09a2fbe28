import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { maxTestMs, plainConfig, type RunningLoom, startExecutable } from "../support/executable.ts";
import {
  type FaultyOutput,
  startFaultyClickhouse,
  startFaultyElasticsearch,
} from "../support/faulty-outputs.ts";
import type { Fault } from "../support/faulty-server.ts";
import { readMetrics, untilDrained } from "../support/metrics.ts";
import { findDiscrepancies, noDiscrepancies, startNumberedLoad } from "../support/numbered-load.ts";
import { createRandom, type Random } from "../support/random.ts";
import { until } from "../support/until.ts";

/*
 * Everything at once: three outputs, kills, outputs that go away, cut connections, a disk that fails (system calls that strace
 * makes fail, if it is installed and allowed), an Elasticsearch that rejects every ninth document and a ClickHouse table with
 * a column that cannot be computed for some rows. Meanwhile an observer asks for readiness, as a load balancer does.
 */
const kills = Number(process.env.LOOM_STORM_KILLS ?? 20);
const seed = 20261125;
const maxLifeMs = 400;
const drainMs = 60_000;

setDefaultTimeout(maxTestMs + kills * 4_000);

const root = mkdtempSync(join(tmpdir(), "loom-storm-"));
afterAll(() => rmSync(root, { recursive: true }));
const dir = join(root, "outbox");

const faults: readonly Fault[] = [
  ...Array<Fault>(20).fill("none"),
  ...Array<Fault>(3).fill("unavailable"),
  ...Array<Fault>(3).fill("cut"),
  ...Array<Fault>(4).fill("cut after commit"),
  ...Array<Fault>(2).fill("late"),
];

const numberOf = (document: string): number => JSON.parse(document).n;
const isRejectedByElasticsearch = (document: string) => numberOf(document) % 9 === 0;
const isBadRow = (document: string) => numberOf(document) % 97 === 0;

const config = (elasticsearch: FaultyOutput, clickhouse: FaultyOutput) => `${plainConfig}
[limits]
per_sensor_rps = -1
[output]
type = ["stdout", "clickhouse", "elasticsearch"]
${elasticsearch.config}
${clickhouse.config}
[output.outbox]
dir = "${dir}"
flush_interval_ms = 20
max_batch_size = 200
retry_backoff_ms = 5
retry_max_backoff_ms = 50
`;

/** The events that an output rejected, from its dead-letter file. */
function deadDocuments(output: string): string[] {
  const path = join(dir, `dead-letters-${output}.ndjson`);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line): string => JSON.parse(line).event).filter((event) => event !== undefined);
}

/** The whole lines that were written to stdout. */
function linesOf(loom: RunningLoom): string[] {
  return loom.stdoutBytes().toString().split("\n").slice(0, -1);
}

/** Makes some of the process's writes and syncs fail. @returns what ends that; undefined: strace is not available here */
function startDiskFaults(pid: number, random: Random): Disposable | undefined {
  if (Bun.which("strace") === null) return undefined;
  const first = 20 + random.below(60);
  const injections = [
    `inject=fdatasync:error=EIO:when=${first}+${20 + random.below(40)}`,
    `inject=pwrite64:error=ENOSPC:when=${first + 10}+${20 + random.below(40)}`,
  ];
  const strace = Bun.spawn(
    ["strace", "-f", "-qq", "-o", "/dev/null", "-p", String(pid), "-e", "trace=fdatasync,pwrite64"].concat(
      injections.flatMap((injection) => ["-e", injection]),
    ),
    { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
  return { [Symbol.dispose]: () => strace.kill() };
}

/** An observer outside, such as a load balancer, that asks for readiness as long as Loom lives. */
class Observer {
  readonly #named = new Set<string>();
  /** Of this life, in order. */
  #answers: string[] = [];
  #isStopped = false;
  #ended = Promise.resolve();

  watch({ managementUrl }: RunningLoom): void {
    this.#isStopped = false;
    this.#answers = [];
    this.#ended = this.#poll(`${managementUrl}/ready`);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#ended;
  }

  /** Everybody who was named as not ready: an output, or "outbox". */
  get named(): readonly string[] {
    return [...this.#named].sort();
  }

  /** The answers so far in this life: "ok", or who is named as not ready. */
  answers(): readonly string[] {
    return [...this.#answers];
  }

  async #poll(url: string): Promise<void> {
    while (!this.#isStopped) {
      const answer = await fetch(url).catch(() => undefined);
      const text = await answer?.text().catch(() => "");
      if (!answer || !text) return;
      const name = /^\w+/.exec(text)?.[0] ?? text;
      if (answer.status === 503) this.#named.add(name);
      this.#answers.push(name);
      await Bun.sleep(5);
    }
  }
}

test(`after ${kills} kills among all faults, three outputs have every acknowledged event, and only the bad ones are dead`, async () => {
  await using elasticsearch = await startFaultyElasticsearch();
  await using clickhouse = await startFaultyClickhouse();
  const random = createRandom(seed);
  elasticsearch.statusFor = (document) => (isRejectedByElasticsearch(document) ? 400 : 201);
  clickhouse.isBadRow = isBadRow;
  const servers = [elasticsearch, clickhouse];
  const load = startNumberedLoad(seed);
  const observer = new Observer();
  const written: string[] = [];

  for (let kill = 0; kill < kills; kill++) {
    for (const server of servers) server.fault = () => random.pick(faults);
    const away = random.below(3) === 0 ? random.pick(["elasticsearch", "clickhouse"] as const) : undefined;
    if (away) await { elasticsearch, clickhouse }[away].goAway();
    await using loom = await startExecutable({ config: config(elasticsearch, clickhouse) });
    using _ = random.below(3) === 0 ? startDiskFaults(loom.pid, random) : undefined;
    observer.watch(loom);
    const answeredBefore = load.acknowledgedCount();
    load.sendTo(loom.ingestUrl);
    await until("a batch is kept", () => load.acknowledgedCount() > answeredBefore);
    // The test varies the moment of the kill, so the moment must not depend on anything that Loom does.
    await Bun.sleep(random.below(maxLifeMs) / 2);
    // An output that was named once is not ready as long as it is away.
    const answers = observer.answers();
    const firstNamed = away === undefined ? -1 : answers.indexOf(away);
    if (firstNamed >= 0) expect(answers.slice(firstNamed)).not.toContain("ok");
    for (const server of servers) await server.comeBack();
    await Bun.sleep(random.below(maxLifeMs) / 2);
    loom.signal("SIGKILL");
    load.sendTo(undefined);
    await loom.exited;
    await observer.stop();
    written.push(...linesOf(loom));
  }
  expect(["clickhouse", "elasticsearch", "outbox", "stdout"]).toEqual(
    expect.arrayContaining([...observer.named]),
  );

  for (const server of servers) await server.heal();
  await using loom = await startExecutable({ config: config(elasticsearch, clickhouse) });
  const answeredBefore = load.acknowledgedCount();
  load.sendTo(loom.ingestUrl);
  await until("batches are kept", () => load.acknowledgedCount() > answeredBefore + 10);
  await readinessFollows(loom, elasticsearch, "elasticsearch");
  await readinessFollows(loom, clickhouse, "clickhouse");
  await load.stop();

  for (const output of ["stdout", "clickhouse", "elasticsearch"]) {
    const metrics = await untilDrained(loom.managementUrl, output, drainMs);
    const sum = (name: string) => metrics.sum(`loom_output_${name}`, { output });
    expect(sum("kept_events_total")).toBe(
      sum("delivered_events_total") + sum("dead_events_total") + sum("dropped_events_total"),
    );
  }
  expect((await readMetrics(loom.managementUrl)).sum("loom_outbox_damaged_events_total")).toBe(0);
  expect(await (await fetch(`${loom.managementUrl}/ready`)).text()).toBe("ok");
  loom.signal("SIGTERM");
  expect(await loom.exited).toBe(0);
  written.push(...linesOf(loom));

  const dead = { elasticsearch: deadDocuments("elasticsearch"), clickhouse: deadDocuments("clickhouse") };
  expect(dead.elasticsearch.filter((document) => !isRejectedByElasticsearch(document))).toEqual([]);
  expect(dead.clickhouse.filter((document) => !isBadRow(document))).toEqual([]);
  // What is delivered and what is dead are together all acknowledged events, each once. The search for a bad row changes the order.
  const inElasticsearch = [...elasticsearch.documents(), ...dead.elasticsearch];
  const inClickhouse = [...clickhouse.documents(), ...dead.clickhouse];
  const { disordered: _, ...exact } = noDiscrepancies;
  expect(findDiscrepancies(load.batches, inElasticsearch)).toMatchObject(exact);
  expect(findDiscrepancies(load.batches, inClickhouse)).toMatchObject(exact);
  expect([...elasticsearch.conflicts, ...clickhouse.conflicts]).toEqual([]);
  // stdout may have lines twice that were being written at a kill.
  const { lost, unknown } = findDiscrepancies(load.batches, [...new Set(written)]);
  expect({ lost, unknown }).toEqual({ lost: [], unknown: [] });
});

/** An output that goes away makes `/ready` name it, ingest stays ready, and `/ready` is back when the output is. */
async function readinessFollows(loom: RunningLoom, server: FaultyOutput, name: string): Promise<void> {
  const ready = async (path: string) => {
    const answer = await fetch(`${loom.managementUrl}${path}`);
    return `${answer.status} ${await answer.text()}`;
  };
  await until("Loom is ready", async () => (await ready("/ready")) === "200 ok");
  await server.goAway();
  await until(`${name} is named`, async () => (await ready("/ready")).startsWith(`503 ${name}: `));
  expect(await ready("/ready/ingest")).toBe("200 ok");
  await server.comeBack();
  await until("Loom is ready again", async () => (await ready("/ready")) === "200 ok");
}
