/*
 * Starts real servers for the tests, on free ports of 127.0.0.1 with temporary data, and installs programs that the tests start.
 *
 *   bun scripts/services.ts up            starts them in the background and prints their addresses
 *   bun scripts/services.ts down          ends the servers that `up` started
 *   bun scripts/services.ts run COMMAND…  starts them, runs the command, ends them; exits with the command's status
 *
 * The tests read the addresses from LOOM_TEST_CLICKHOUSE_URL, LOOM_TEST_OPENSEARCH_URL and LOOM_TEST_ELASTICSEARCH_URL, and the
 * paths of programs from the variables in services/programs.ts. A variable is not set if its server could not be started, or
 * its program not be installed.
 */
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startClickhouse } from "./services/clickhouse.ts";
import { startElasticsearch } from "./services/elasticsearch.ts";
import { startOpensearch } from "./services/opensearch.ts";
import { programs } from "./services/programs.ts";

interface Service {
  readonly url: string;
  stop(): Promise<void>;
}

interface Running {
  /** The variables that the tests read. */
  readonly environment: Record<string, string>;
  /** One line for each server: its address, or why it did not start. */
  readonly report: string[];
  stop(): Promise<void>;
}

/** The file that `up` writes and `down` reads. */
interface State {
  /** The process that runs the servers and ends them on SIGTERM. */
  readonly pid: number;
  /** When the process started, in clock ticks since boot. A later process with the same pid has another value. */
  readonly startTicks: string;
  readonly environment: Record<string, string>;
  readonly report: string[];
}

const statePath = join(tmpdir(), "loom-services.json");
const logPath = join(tmpdir(), "loom-services.log");
const maxUpMs = 900_000;
const maxDownMs = 60_000;
const pollIntervalMs = 100;

const starters: readonly [name: string, variable: string, start: () => Promise<Service>][] = [
  ["ClickHouse", "LOOM_TEST_CLICKHOUSE_URL", startClickhouse],
  ["OpenSearch", "LOOM_TEST_OPENSEARCH_URL", startOpensearch],
  ["Elasticsearch", "LOOM_TEST_ELASTICSEARCH_URL", startElasticsearch],
];

async function startAll(): Promise<Running> {
  const environment: Record<string, string> = {};
  const report: string[] = [];
  const services: Service[] = [];
  // One after the other, because each may install packages.
  for (const [name, variable, start] of starters) {
    try {
      const service = await start();
      services.push(service);
      environment[variable] = service.url;
      report.push(`${name}: ${service.url}`);
    } catch (error) {
      report.push(`${name} could not be started: ${(error as Error).message}`);
    }
  }
  for (const [name, variable, find] of programs) {
    try {
      environment[variable] = find();
      report.push(`${name}: ${environment[variable]}`);
    } catch (error) {
      report.push(`${name} could not be installed: ${(error as Error).message}`);
    }
  }
  return {
    environment,
    report,
    stop: async () => void (await Promise.all(services.map((service) => service.stop()))),
  };
}

async function runCommand(command: string[]): Promise<number> {
  let child: Bun.Subprocess | undefined;
  let isStopping = false;
  const stopEarly = () => {
    isStopping = true;
    child?.kill();
  };
  process.on("SIGINT", stopEarly).on("SIGTERM", stopEarly);
  const running = await startAll();
  try {
    for (const line of running.report) console.error(line);
    if (isStopping) return 1;
    child = Bun.spawn(command, {
      env: { ...process.env, ...running.environment },
      stdio: ["inherit", "inherit", "inherit"],
    });
    return await child.exited;
  } finally {
    await running.stop();
  }
}

/** Runs the servers until SIGTERM. `up` starts it in the background. */
async function hold(): Promise<number> {
  const told = new Promise<void>((resolve) => process.once("SIGTERM", resolve).once("SIGINT", resolve));
  const { environment, report, stop } = await startAll();
  const state: State = { pid: process.pid, startTicks: startTicksOf(process.pid) ?? "", environment, report };
  writeFileSync(`${statePath}.new`, JSON.stringify(state));
  renameSync(`${statePath}.new`, statePath);
  await told;
  await stop();
  return 0;
}

async function up(): Promise<number> {
  const before = readState();
  if (before !== undefined && isAlive(before)) {
    print(before);
    return 0;
  }
  rmSync(statePath, { force: true });
  const log = openSync(logPath, "w");
  const holder = Bun.spawn([process.execPath, import.meta.path, "hold"], {
    stdio: ["ignore", log, log],
    detached: true,
  });
  holder.unref();
  closeSync(log);
  const deadline = performance.now() + maxUpMs;
  while (performance.now() < deadline && holder.exitCode === null) {
    const state = readState();
    if (state !== undefined) {
      print(state);
      return Object.keys(state.environment).length === starters.length + programs.length ? 0 : 1;
    }
    await Bun.sleep(pollIntervalMs);
  }
  holder.kill();
  console.error(`services did not start; see ${logPath}`);
  return 1;
}

async function down(): Promise<number> {
  const state = readState();
  if (state !== undefined && isAlive(state)) {
    process.kill(state.pid, "SIGTERM");
    const deadline = performance.now() + maxDownMs;
    while (isAlive(state)) {
      if (performance.now() > deadline) {
        console.error(`services of process ${state.pid} did not end within ${maxDownMs / 1000} s`);
        return 1;
      }
      await Bun.sleep(pollIntervalMs);
    }
  }
  rmSync(statePath, { force: true });
  return 0;
}

function readState(): State | undefined {
  return existsSync(statePath) ? JSON.parse(readFileSync(statePath, "utf8")) : undefined;
}

function print({ environment, report }: State): void {
  for (const line of report) console.error(line);
  for (const [name, value] of Object.entries(environment)) console.log(`export ${name}=${value}`);
}

function isAlive({ pid, startTicks }: State): boolean {
  return startTicksOf(pid) === startTicks;
}

/** Field 22 of /proc/<pid>/stat (proc_pid_stat(5)). The process name before it may contain spaces and parentheses. */
function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    // no such process
    return undefined;
  }
}

async function main([verb, ...rest]: string[]): Promise<number> {
  if (verb === "up" && rest.length === 0) return up();
  if (verb === "down" && rest.length === 0) return down();
  if (verb === "hold" && rest.length === 0) return hold();
  if (verb === "run" && rest.length > 0) return runCommand(rest);
  console.error("usage: bun scripts/services.ts up | down | run COMMAND…");
  return 2;
}

process.exit(await main(process.argv.slice(2)));
