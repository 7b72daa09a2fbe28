import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { maxTestMs, parseLog, plainConfig, runToEnd, startExecutable } from "../support/executable.ts";
import { type FaultyOutput, startFaultyElasticsearch } from "../support/faulty-outputs.ts";
import type { Fault } from "../support/faulty-server.ts";
import { untilDrained } from "../support/metrics.ts";
import { findDiscrepancies, noDiscrepancies, startNumberedLoad } from "../support/numbered-load.ts";
import { createPipe } from "../support/pipe.ts";
import { createRandom } from "../support/random.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const root = mkdtempSync(join(tmpdir(), "loom-several-"));
let outboxes = 0;
const newOutbox = () => join(root, String(++outboxes));
afterAll(() => rmSync(root, { recursive: true }));

function configFor(server: FaultyOutput, dir = newOutbox()): string {
  return `${plainConfig}
[limits]
per_sensor_rps = -1
[output]
type = ["stdout", "elasticsearch"]
${server.config}
[output.outbox]
dir = "${dir}"
flush_interval_ms = 20
max_batch_size = 50
retry_backoff_ms = 10
retry_max_backoff_ms = 100
`;
}

/** In total more than the 64 KiB that a pipe holds (pipe(7)). */
const documents = Array.from({ length: 200 }, (_, n) => `{"n":${n},"x":"${"x".repeat(1_000)}"}`);

async function sendDocuments(url: string): Promise<void> {
  for (let from = 0; from < documents.length; from += 10)
    expect(await send(url, `[${documents.slice(from, from + 10).join(",")}]`)).toBe(204);
}

const linesOf = (bytes: Buffer) => bytes.toString().split("\n").slice(0, -1);

test("while Elasticsearch is unreachable, stdout gets all events in order, and Elasticsearch gets them when it returns", async () => {
  await using server = await startFaultyElasticsearch();
  await server.goAway();
  await using loom = await startExecutable({ config: configFor(server) });
  await sendDocuments(loom.ingestUrl);
  await until("everything is on stdout", () => linesOf(loom.stdoutBytes()).length === documents.length);
  expect(linesOf(loom.stdoutBytes())).toEqual(documents);
  const ready = await fetch(`${loom.managementUrl}/ready`);
  expect(await ready.text()).toStartWith("elasticsearch: ");

  await server.comeBack();
  await until("Elasticsearch has everything", () => server.documents().length === documents.length);
  expect(server.documents()).toEqual(documents);
  expect(linesOf(loom.stdoutBytes())).toEqual(documents);
});

test("a stalled stdout does not delay Elasticsearch, and gets all events when it is read again", async () => {
  await using server = await startFaultyElasticsearch();
  using pipe = createPipe();
  await using loom = await startExecutable({ config: configFor(server), stdout: pipe.writeEnd });
  pipe.closeWriter();
  await sendDocuments(loom.ingestUrl);
  await until("Elasticsearch has everything", () => server.documents().length === documents.length);
  expect(server.documents()).toEqual(documents);

  const read: Buffer[] = [];
  await until("everything is on stdout", () => {
    read.push(pipe.readAvailable());
    return linesOf(Buffer.concat(read)).length === documents.length;
  });
  expect(linesOf(Buffer.concat(read))).toEqual(documents);
});

test("restarts with SIGTERM under load lose no event and store none twice in Elasticsearch", async () => {
  await using server = await startFaultyElasticsearch();
  const random = createRandom(7);
  const faults: readonly Fault[] = ["none", "none", "unavailable", "cut after commit", "late", "silence"];
  server.fault = () => random.pick(faults);
  const config = configFor(server);
  const load = startNumberedLoad(7);
  for (let life = 0; life < 4; life++) {
    await using loom = await startExecutable({ config });
    const answeredBefore = load.acknowledgedCount();
    load.sendTo(loom.ingestUrl);
    await until("batches are kept", () => load.acknowledgedCount() > answeredBefore + 10);
    loom.signal("SIGTERM");
    load.sendTo(undefined);
    expect(await loom.exited).toBe(0);
    expect(parseLog(loom.stderrText()).filter(({ level }) => level === "error")).toEqual([]);
  }
  await load.stop();
  await server.heal();
  await using loom = await startExecutable({ config });
  await untilDrained(loom.managementUrl, "elasticsearch");
  expect(findDiscrepancies(load.batches, server.documents())).toEqual(noDiscrepancies);
  expect(server.conflicts).toEqual([]);
});

test("a second Loom on the same outbox exits with an error that names the directory, and the first continues", async () => {
  await using server = await startFaultyElasticsearch();
  const dir = newOutbox();
  const config = configFor(server, dir);
  await using first = await startExecutable({ config });
  const second = await runToEnd({ config });
  expect(second).toEqual({
    status: 1,
    stdout: "",
    stderr: `outbox: ${dir} is in use by another Loom (process ${first.pid})\n`,
  });
  expect(await send(first.ingestUrl, '[{"a":1}]')).toBe(204);
  await until("the event", () => server.documents().length === 1);
});

test("an outbox path below a regular file stops the start with one line that says what to do", async () => {
  await using server = await startFaultyElasticsearch();
  const ended = await runToEnd({
    config: configFor(server, "./file/outbox"),
    files: { file: "not a folder" },
  });
  expect(ended).toMatchObject({ status: 1, stdout: "" });
  expect(ended.stderr).toMatch(
    /^outbox: cannot write to .*file\/outbox: it, or a folder above it, is a file \(create it for the user Loom runs as, or set output\.outbox\.dir\)\n$/,
  );
});
