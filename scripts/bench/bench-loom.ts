import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBuiltinDatabases } from "../builtin-databases.ts";
import type { BodyForm } from "./body-form.ts";
import { sameAddresses, type Workload } from "./workload.ts";

/*
 * Runs the executable for a benchmark: plain HTTP, the built-in networks, places from a database, no rate limit, stdout to /dev/null. The executable is
 * `dist/loom`, or the path in LOOM_BENCH_EXECUTABLE, to compare two builds.
 */

const root = join(import.meta.dir, "../..");
const { LOOM_BENCH_EXECUTABLE: executable = join(root, "dist/loom") } = process.env;

export const benchToken = "bench-token";
export const benchAdminToken = "bench-admin-token";

export interface BenchLoom extends AsyncDisposable {
  readonly url: string;
  /** undefined if there is no management port. Then nothing is collected for the dashboard either. */
  readonly managementUrl: string | undefined;
  /** The processor time that the process has used since its start, in milliseconds. */
  cpuMs(): number;
  /** The physical memory that the process uses now (VmRSS). */
  memoryBytes(): number;
}

export interface BenchLoomOptions {
  readonly hasDashboard: boolean;
  /** A database with places; default: the built-in countries. */
  readonly geoipDbPath?: string;
}

/** Starts Loom and waits until it listens. @throws Error if it ends before that */
export async function startBenchLoom({ hasDashboard, geoipDbPath }: BenchLoomOptions): Promise<BenchLoom> {
  const directory = mkdtempSync(join(tmpdir(), "loom-bench-"));
  const config = join(directory, "loom.toml");
  const { country, asn } = makeBuiltinDatabases();
  const [port, managementPort] = [freePort(), freePort()];
  writeFileSync(
    config,
    `[server]\ntls = false\nlisten_address = "127.0.0.1:${port}"\n` +
      `${hasDashboard ? `management_listen_address = "127.0.0.1:${managementPort}"\n` : ""}` +
      `[limits]\nper_sensor_rps = -1\n[enrichment]\n` +
      // By their paths, because an older build to compare with may not contain them.
      `geoip_db_path = "${geoipDbPath ?? country}"\nasn_db_path = "${asn}"\n`,
  );
  const loom = Bun.spawn([executable, "-config", config], {
    stdout: Bun.file("/dev/null"),
    stderr: "pipe",
    env: { LOOM_SENSOR_bench: benchToken, LOOM_ADMIN_TOKEN: benchAdminToken },
  });
  await untilListening(loom.stderr);
  return {
    url: `http://127.0.0.1:${port}`,
    managementUrl: hasDashboard ? `http://127.0.0.1:${managementPort}` : undefined,
    cpuMs: () => cpuMsOf(loom.pid),
    memoryBytes() {
      const status = readFileSync(`/proc/${loom.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    },
    async [Symbol.asyncDispose]() {
      loom.kill();
      await loom.exited;
      rmSync(directory, { recursive: true });
    },
  };
}

/** The processor time that a process has used since its start, in milliseconds. */
export function cpuMsOf(pid: number): number {
  // utime and stime in ticks of 10 ms (proc_pid_stat(5)). The process name before them may contain spaces.
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** What a process measured that sent for some seconds. */
export interface LoadResult {
  readonly eventsPerSecond: number;
  readonly events: number;
  /** The share of a core that the sender used. If it is near 1, the sender is the bottleneck. */
  readonly coreShare: number;
}

/** Measures how many events a second a server accepts at full load. A separate process sends for this many seconds. */
export async function sendAtFullLoad(
  url: string,
  seconds: number,
  { form = "array", workload = sameAddresses }: { form?: BodyForm; workload?: Workload } = {},
): Promise<LoadResult> {
  const command = [process.execPath, join(import.meta.dir, "load.ts"), url, benchToken, form];
  const { newEvery, inTurn } = workload;
  const numbers = [eventsPerBatch, seconds, connections, newEvery, inTurn].map(String);
  const load = Bun.spawn([...command, ...numbers], { stdout: "pipe", stderr: "inherit" });
  const result: LoadResult & { refused: number } = JSON.parse(await new Response(load.stdout).text());
  if (result.refused > 0) throw new Error(`${url} refused ${result.refused} batches`);
  return result;
}

const eventsPerBatch = 500;
const connections = 4;

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** Formats a number without decimals and with thousands separators. */
export function show(number: number): string {
  return Math.round(number).toLocaleString("en");
}

export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of stream) {
    text += Buffer.from(chunk).toString();
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
}

async function untilListening(stderr: ReadableStream<Uint8Array>): Promise<void> {
  for await (const line of linesOf(stderr)) {
    if (line.includes("ingest server listening")) return;
    if (!line.includes('"level":"info"')) console.error(line);
  }
  throw new Error("Loom did not start");
}

function freePort(): number {
  const probe = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port } = probe;
  void probe.stop(true);
  return port ?? 0;
}
