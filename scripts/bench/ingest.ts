/**
 * Loom against the floor, a Bun server that only parses, in turn on this machine: events a second and their ratio.
 *   bun run bench [rounds] [seconds a turn]
 * Batches of 500 captured events (batches.ts), 1.1 KB each on average, both databases, stdout to /dev/null.
 * Needs `dist/loom`; another executable may stand in LOOM_BENCH_EXECUTABLE, to compare two builds.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const rounds = Number(process.argv[2] ?? 5);
const secondsEach = Number(process.argv[3] ?? 3);
const eventsPerBatch = 500;
const connections = 4;
const root = join(import.meta.dir, "../..");
const { LOOM_BENCH_EXECUTABLE: executable = join(root, "dist/loom") } = process.env;
const directory = mkdtempSync(join(tmpdir(), "loom-bench-"));
const token = "bench-token";

const floor = Bun.spawn([process.execPath, join(import.meta.dir, "floor.ts")], {
  stdout: "pipe",
  stderr: "inherit",
});
const loom = startLoom();
try {
  const floorUrl = `http://127.0.0.1:${await firstLine(floor.stdout)}`;
  const loomUrl = `http://127.0.0.1:${await ingestPort()}`;
  const turns: { floor: number; loom: number }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const turn = { floor: await eventsPerSecond(floorUrl), loom: await eventsPerSecond(loomUrl) };
    // The first round warms both up.
    if (round > 0) turns.push(turn);
    console.error(
      `${round === 0 ? "warm-up" : `round ${round}`}: floor ${show(turn.floor)}, Loom ${show(turn.loom)} events/s`,
    );
  }
  const ratio = median(turns.map((turn) => turn.loom / turn.floor));
  console.log(`floor ${show(median(turns.map((turn) => turn.floor)))} events/s`);
  console.log(`Loom  ${show(median(turns.map((turn) => turn.loom)))} events/s`);
  console.log(`ratio ${ratio.toFixed(2)} (median of ${rounds} rounds)`);
} finally {
  floor.kill();
  loom.kill();
  await loom.exited;
  rmSync(directory, { recursive: true });
}

function startLoom() {
  const config = join(directory, "loom.toml");
  writeFileSync(
    config,
    `[server]\ntls = false\nlisten_address = "127.0.0.1:${freePort()}"\n[limits]\nper_sensor_rps = -1\n` +
      `[enrichment]\ngeoip_db_path = "${root}/server/cli/demo/demo-city.mmdb"\nasn_db_path = "${root}/server/cli/demo/demo-asn.mmdb"\n`,
  );
  return Bun.spawn([executable, "-config", config], {
    stdout: Bun.file("/dev/null"),
    stderr: "pipe",
    env: { LOOM_SENSOR_bench: token },
  });
}

async function ingestPort(): Promise<string> {
  for await (const line of linesOf(loom.stderr)) {
    const address = /"ingest server listening.*"addr":"127\.0\.0\.1:(\d+)"/.exec(line)?.[1];
    if (address) return address;
    console.error(line);
  }
  throw new Error("Loom did not start");
}

async function eventsPerSecond(url: string): Promise<number> {
  const command = [process.execPath, join(import.meta.dir, "load.ts"), url, token];
  const numbers = [eventsPerBatch, secondsEach, connections].map(String);
  const load = Bun.spawn([...command, ...numbers], { stdout: "pipe", stderr: "inherit" });
  const result: { eventsPerSecond: number; refused: number } = JSON.parse(
    await new Response(load.stdout).text(),
  );
  if (result.refused > 0) throw new Error(`${result.refused} batches refused by ${url}`);
  return result.eventsPerSecond;
}

function freePort(): number {
  const probe = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port } = probe;
  void probe.stop(true);
  return port ?? 0;
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  for await (const line of linesOf(stream)) return line;
  throw new Error("no line");
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of stream) {
    text += Buffer.from(chunk).toString();
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function show(eventsPerSecond: number): string {
  return Math.round(eventsPerSecond).toLocaleString("en");
}
