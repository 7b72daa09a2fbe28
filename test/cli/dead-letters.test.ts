import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openOutbox } from "../../server/outbox/outbox.ts";
import { openDeadLetters } from "../../server/outputs/dead-letters/dead-letters.ts";
import { OutputDelivery } from "../../server/outputs/delivery/delivery.ts";
import type { Output } from "../../server/outputs/output.ts";
import { silentLog } from "../support/log.ts";
import { storedEvent } from "../support/memory-outbox.ts";
import { until } from "../support/until.ts";

let dir: string;
let configPath: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "loom-dead-letters-"));
  configPath = join(dir, "loom.toml");
  writeFileSync(configPath, `[server]\ntls = false\n[output.outbox]\ndir = "${dir}"\n`);
});

afterEach(() => rmSync(dir, { recursive: true }));

async function loom(...args: readonly string[]) {
  const run = Bun.spawn([process.execPath, "server/cli/loom.ts", "dead-letters", ...args], {
    cwd: join(import.meta.dir, "../.."),
    env: {},
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, status] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  return { stdout, stderr, status };
}

/** Runs the command with the test's configuration. */
const command = (action: string, ...args: readonly string[]) => loom(action, "-config", configPath, ...args);

async function writeRecords(
  output: string,
  records: readonly (readonly [number, string, string?])[],
): Promise<void> {
  const opened = await openDeadLetters({ dir, output, log: silentLog, now: () => Date.UTC(2026, 4, 1) });
  await opened.add(
    records.map(([sequence, reason, document]) => ({ event: storedEvent(sequence, document), reason })),
  );
  await opened.close();
}

const requestsIn = () => readdirSync(dir).filter((name) => name.includes(".request-"));

test("list shows the number, time, output, sensor and reason of each dead letter", async () => {
  await writeRecords("clickhouse", [[12, "code 27: cannot parse"]]);
  await writeRecords("elasticsearch", [[3, "400 mapper_parsing_exception"]]);
  const { stdout, status } = await command("list");
  const [, first, second] = stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
  expect(first).toEqual(["12", "2026-05-01T00:00:00.000Z", "clickhouse", "vps-1", "code 27: cannot parse"]);
  expect(second).toEqual([
    "3",
    "2026-05-01T00:00:00.000Z",
    "elasticsearch",
    "vps-1",
    "400 mapper_parsing_exception",
  ]);
  expect(status).toBe(0);
});

test("list says that there are no dead letters", async () => {
  expect((await command("list")).stdout).toBe("no dead letters\n");
});

test("list and show escape control characters", async () => {
  await writeRecords("clickhouse", [
    [1, "bad \u001b]0;x\u0007\u009b31m\u202e", '{"a":"\u007f\u009b\u2028\u202e"}'],
  ]);
  const texts = (await command("list")).stdout + (await command("show", "1")).stdout;
  expect(texts.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(texts).toContain("\\u001b]0;x\\u0007\\u009b31m\\u202e");
});

test("show prints the whole event and the whole reason", async () => {
  const reason = "r".repeat(500);
  await writeRecords("clickhouse", [[5, reason, '{"n":18446744073709551615}']]);
  const { stdout } = await command("show", "5");
  expect(stdout).toContain(`reason:   ${reason}\n`);
  expect(stdout).toContain('event:    {"n":18446744073709551615}\n');
  expect(stdout).toContain("received: 1970-01-01T00:00:00.000Z\n");
});

describe("retry and drop", () => {
  test("a dead letter that is requested to be dropped is not listed any more", async () => {
    await writeRecords("clickhouse", [
      [1, "bad"],
      [2, "bad"],
    ]);
    expect(await command("drop", "1")).toMatchObject({ status: 0, stderr: "" });
    const { stdout } = await command("list");
    expect(stdout.match(/^ +\d+/gm)?.map(Number)).toEqual([2]);
  });

  test("a dead letter whose retry is requested is listed with the retry", async () => {
    await writeRecords("clickhouse", [[1, "bad"]]);
    const { stdout } = await command("retry", "--all");
    expect(stdout).toStartWith("clickhouse: 1 dead letter will be retried within seconds");
    expect((await command("list")).stdout).toContain("(retry pending) bad");
  });

  test("--output leaves the dead letters of other outputs alone", async () => {
    await writeRecords("clickhouse", [[1, "bad"]]);
    await writeRecords("elasticsearch", [[1, "bad"]]);
    await command("drop", "--output", "elasticsearch", "--all");
    const { stdout } = await command("list");
    expect(stdout).toContain("clickhouse");
    expect(stdout).not.toContain("elasticsearch");
  });

  test("a number without a dead letter is an error, and the command does nothing for the other numbers", async () => {
    await writeRecords("clickhouse", [[1, "bad"]]);
    const { status, stderr } = await command("drop", "1", "77");
    expect(status).toBe(1);
    expect(stderr).toBe(
      'dead-letters: no dead letter has the sequence number 77; "loom dead-letters list" lists all of them\n',
    );
    expect(requestsIn()).toEqual([]);
  });
});

test.each([
  [[], "the action is missing: list, show, retry, drop"],
  [["purge"], '"purge" is not one of list, show, retry, drop'],
  [["drop"], "drop needs sequence numbers or --all"],
  [["show", "x1"], '"x1" is not a sequence number'],
  [["retry", "1", "--all"], "sequence numbers and --all exclude each other"],
  [["list", "-config"], "-config needs a value"],
  [
    ["list", "--output", "elastic"],
    'there is no output "elastic", only stdout, store, clickhouse, elasticsearch, kafka',
  ],
])("%p is refused with the usage", async (args, reason) => {
  const { status, stderr } = await loom(...args);
  expect(status).toBe(2);
  expect(stderr).toStartWith(`loom dead-letters: ${reason}; usage: loom dead-letters list|show|retry|drop`);
});

test("a running Loom retries a dead letter on request, with its original sequence number, from a real outbox", async () => {
  const outbox = await openOutbox({
    dir,
    maxBytes: 1024 * 1024,
    onFull: "reject",
    outputs: ["stub"],
    log: silentLog,
  });
  const deadLetters = await openDeadLetters({ dir, output: "stub", log: silentLog });
  let isTableWrong = true;
  const arrived: number[] = [];
  const output: Output = {
    name: "stub",
    async send({ events }) {
      const refused = events.filter(({ document }) => isTableWrong && document.includes("poison"));
      for (const event of events) if (!refused.includes(event)) arrived.push(event.sequence);
      return {
        kind: "judged",
        rejected: refused.map((event) => ({ event, reason: "400" })),
        retry: [],
        reason: "",
      };
    },
    close() {},
  };
  const delivery = new OutputDelivery({
    reader: outbox.reader("stub"),
    outboxId: outbox.id,
    output,
    deadLetters,
    limits: {
      maxEvents: 100,
      maxBytes: 1024 * 1024,
      flushIntervalMs: 10,
      retryBackoffMs: 10,
      retryMaxBackoffMs: 100,
      requestTimeoutMs: 5000,
    },
    log: silentLog,
  });
  const lines = Buffer.from('{"n":0}\n{"n":"poison"}\n{"n":2}\n');
  await outbox.append({ sensorId: "vps-1", eventCount: 3, lines });
  await until("the event is a dead letter", () => deadLetters.waiting().events === 1);
  const [first = -1, last] = arrived;
  expect(last).toBe(first + 2);
  isTableWrong = false;
  await command("retry", String(first + 1));
  await until("it arrives", () => arrived.includes(first + 1));
  await until("its dead letter is gone", () => deadLetters.waiting().events === 0);
  await until("the request is gone", () => requestsIn().length === 0);
  expect(delivery.counts).toMatchObject({ deliveredEvents: 2, deadEvents: 1, revivedEvents: 1 });
  await delivery.stop(1000);
  await outbox.close();
});
