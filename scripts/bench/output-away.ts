/**
 * Measures Loom while an output is unreachable for a long time: whether memory stays constant, whether answers stay fast, and
 * whether every event is delivered afterwards.
 *   bun scripts/bench/output-away.ts [minutes away]
 * It starts `dist/loom` with an Elasticsearch output whose port is closed, sends 2,000 events a second in batches of 50, opens
 * the port after the given number of minutes (default: 10), and continues to send until the backlog is delivered. It needs
 * 3 MB of temporary disk space for each second away. It exits with status 1 if an event was lost, delivered twice or out of
 * order, or if a batch was refused.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { benchBatch } from "./batches.ts";

const minutesAway = Number(process.argv[2] ?? 10);
const eventsPerBatch = 50;
const batchesPerSecond = 40;
const reportIntervalMs = 30_000;
/** How long the delivery of the backlog may take. */
const drainBoundMs = Math.max(2, minutesAway) * 60_000;
const { LOOM_BENCH_EXECUTABLE: executable = join(import.meta.dir, "../../dist/loom") } = process.env;
const directory = mkdtempSync(join(tmpdir(), "loom-away-"));
const logFile = join(directory, "log");
const token = "bench-token";

/** Events as text without their opening brace, so that a number can be inserted as the first member. */
const templates = Array.from({ length: 320 }, (_, i) => JSON.stringify(eventOf(i)).slice(1));
const arrived = { events: 0, doubled: 0, disordered: 0, last: 0, seen: new Uint8Array(4 * 1024 * 1024) };
const output = createServer((request, response) => {
  bodyOf(request).then(
    (body) => {
      response.setHeader("content-type", "application/json");
      if (!request.url?.includes("/_bulk?")) {
        response.statusCode = request.method === "GET" ? 404 : 200;
        return response.end('{"error":{"type":"index_not_found_exception"}}');
      }
      response.end(JSON.stringify({ errors: false, items: takeBulk(body) }));
    },
    () => response.destroy(),
  );
});
await listenOn(0);
const outputPort = (output.address() as AddressInfo).port;
await closeOutput();

const loom = startLoom();
try {
  const url = `http://127.0.0.1:${await ingestPort()}/api/v1/ingest`;
  const load = startLoad(url);
  const startedAt = performance.now();
  const passed = () => performance.now() - startedAt;
  console.log(
    `away for ${minutesAway} min; ${batchesPerSecond * eventsPerBatch} events/s, batches of ${eventsPerBatch}`,
  );
  console.log("   time   RSS MB   answers  p50 ms  p99 ms  max ms  refused   arrived");
  const report = setInterval(() => printLine(passed(), load), reportIntervalMs);

  await Bun.sleep(minutesAway * 60_000);
  printLine(passed(), load);
  const backlog = load.nextEvent();
  await listenOn(outputPort);
  const returnedAt = performance.now();
  console.log(`the output is back: ${show(backlog)} events sent, ${show(outboxMegabytes())} MB of outbox`);
  await waitUntil("delivery of the first event", () => arrived.events > 0);
  const firstAt = performance.now();
  await waitUntil("delivery of the backlog", () => arrived.events >= backlog);
  const drainedMs = performance.now() - firstAt;
  printLine(passed(), load);
  await load.stop();
  await waitUntil("delivery of the remaining events", () => arrived.events >= load.keptEvents());
  clearInterval(report);

  const missing = load.keptEvents() - arrived.events;
  console.log(
    `first events ${seconds(firstAt - returnedAt)} after the return, drained ${seconds(drainedMs)} later ` +
      `(${show(backlog / (drainedMs / 1000))} events/s, while ${batchesPerSecond * eventsPerBatch} were received)`,
  );
  console.log(`whole run: ${percentiles(load.allMs())}`);
  console.log(
    `kept ${show(load.keptEvents())}, arrived ${show(arrived.events)}: missing ${missing}, ` +
      `doubled ${arrived.doubled}, out of order ${arrived.disordered}; refused batches ${load.refused()}`,
  );
  if (missing + arrived.doubled + arrived.disordered + load.refused() > 0) process.exitCode = 1;
} finally {
  loom.kill("SIGTERM");
  await loom.exited;
  await closeOutput().catch(() => {});
  rmSync(directory, { recursive: true });
}
process.exit();

function eventOf(i: number): unknown {
  const events: unknown[] = JSON.parse(benchBatch(16).toString());
  return events[i % events.length];
}

function startLoom() {
  writeFileSync(
    join(directory, "loom.toml"),
    `[server]\ntls = false\nlisten_address = "127.0.0.1:0"\n[limits]\nper_sensor_rps = -1\n` +
      `[output]\ntype = "elasticsearch"\nelasticsearch_url = "http://127.0.0.1:${outputPort}"\n` +
      `[output.outbox]\ndir = "${join(directory, "outbox")}"\nmax_bytes = ${64 * 1024 ** 3}\n`,
  );
  return Bun.spawn([executable, "-config", join(directory, "loom.toml")], {
    stdout: "ignore",
    stderr: Bun.file(logFile),
    env: { LOOM_SENSOR_bench: token },
  });
}

async function ingestPort(): Promise<string> {
  let port: string | undefined;
  await waitUntil("the start of Loom", () => {
    if (loom.exitCode !== null) throw new Error(`Loom ended: ${readFileSync(logFile, "utf8")}`);
    port = /"ingest server listening.*"addr":"127\.0\.0\.1:(\d+)"/.exec(readFileSync(logFile, "utf8"))?.[1];
    return port !== undefined;
  });
  return port ?? "";
}

/** Sends at a constant rate, independent of the answers. Answer times are measured from the time when a batch was due. */
function startLoad(url: string) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const startedAt = performance.now();
  const under = new Set<Promise<void>>();
  const allMs: number[] = [];
  let reportedUpTo = 0;
  let batches = 0;
  let refused = 0;
  let kept = 0;
  // Batches are sent one at a time, so that events are kept in the order of their numbers.
  let previous = Promise.resolve();

  function sendDue(): void {
    const due = 1 + Math.floor(((performance.now() - startedAt) / 1000) * batchesPerSecond);
    for (; batches < due; batches++) {
      const dueAt = startedAt + (batches * 1000) / batchesPerSecond;
      const body = batchFrom(batches * eventsPerBatch + 1);
      previous = previous.then(() => send(body, dueAt));
      const one = previous.finally(() => under.delete(one));
      under.add(one);
    }
  }

  async function send(body: string, dueAt: number): Promise<void> {
    const response = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(30_000) });
    await response.arrayBuffer();
    if (response.status === 204) kept += eventsPerBatch;
    else refused++;
    allMs.push(performance.now() - dueAt);
  }

  const timer = setInterval(sendDue, 1000 / batchesPerSecond / 5);
  return {
    nextEvent: () => kept,
    keptEvents: () => kept,
    refused: () => refused,
    allMs: () => allMs,
    /** The answer times since the last call. */
    latestMs() {
      const latest = allMs.slice(reportedUpTo);
      reportedUpTo = allMs.length;
      return latest;
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(under);
    },
  };
}

function batchFrom(first: number): string {
  const events = Array.from(
    { length: eventsPerBatch },
    (_, i) => `{"n":${first + i},${templates[(first + i) % templates.length]}`,
  );
  return `[${events.join(",")}]`;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  return request.headers["content-encoding"] === "gzip" ? Buffer.from(Bun.gunzipSync(body)) : body;
}

/** @returns the answer's item for each document of a `_bulk` body */
function takeBulk(body: Buffer): { create: { status: number } }[] {
  const lines = body.toString("latin1").split("\n");
  const items: { create: { status: number } }[] = [];
  for (let line = 1; line < lines.length; line += 2) {
    const n = Number(/^\{"n":(\d+),/.exec(lines[line] ?? "")?.[1]);
    items.push({ create: { status: take(n) } });
  }
  return items;
}

function take(n: number): number {
  if (n >= arrived.seen.length) {
    const larger = new Uint8Array(n * 2);
    larger.set(arrived.seen);
    arrived.seen = larger;
  }
  if (arrived.seen[n] === 1) {
    arrived.doubled++;
    return 409;
  }
  arrived.seen[n] = 1;
  if (n !== arrived.last + 1) arrived.disordered++;
  arrived.last = n;
  arrived.events++;
  return 201;
}

function printLine(passedMs: number, load: ReturnType<typeof startLoad>): void {
  const latest = load.latestMs();
  const columns = [
    `${(passedMs / 1000).toFixed(0)} s`.padStart(7),
    (residentBytes() / 1e6).toFixed(0).padStart(8),
    String(latest.length).padStart(9),
    percentile(latest, 0.5).padStart(7),
    percentile(latest, 0.99).padStart(7),
    percentile(latest, 1).padStart(7),
    String(load.refused()).padStart(8),
    show(arrived.events).padStart(9),
  ];
  console.log(columns.join(" "));
}

function residentBytes(): number {
  const status = readFileSync(`/proc/${loom.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

function outboxMegabytes(): number {
  const { stdout } = Bun.spawnSync(["du", "-sm", join(directory, "outbox")]);
  return Number.parseInt(stdout.toString(), 10);
}

function percentile(ms: readonly number[], share: number): string {
  if (ms.length === 0) return "-";
  const sorted = ms.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
}

function percentiles(ms: readonly number[]): string {
  return `${show(ms.length)} answers, p50 ${percentile(ms, 0.5)} ms, p99 ${percentile(ms, 0.99)} ms, max ${percentile(ms, 1)} ms`;
}

function listenOn(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    output.once("error", reject);
    output.listen(port, "127.0.0.1", () => resolve());
  });
}

function closeOutput(): Promise<void> {
  return new Promise((resolve, reject) => {
    output.close((error) => (error ? reject(error) : resolve()));
    output.closeAllConnections();
  });
}

async function waitUntil(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + drainBoundMs;
  while (!isSo()) {
    if (performance.now() > deadline)
      throw new Error(`${what} did not happen within ${seconds(drainBoundMs)}`);
    await Bun.sleep(20);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function show(number: number): string {
  return Math.round(number).toLocaleString("en");
}
