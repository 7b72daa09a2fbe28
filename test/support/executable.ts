import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { compileCommand } from "../../scripts/compile.ts";
import { until } from "./until.ts";

/** For `setDefaultTimeout`: a process may be slow on a busy machine. `until` fails earlier and says what is missing. */
export const maxTestMs = 60_000;

/** A configuration with plain HTTP and a management port, both on any free port. */
export const plainConfig = `
[server]
tls = false
listen_address = "127.0.0.1:0"
management_listen_address = "127.0.0.1:0"
`;

/** The sensor of the captured requests, its token, and the environment with it, which is the default of `StartOptions`. */
export const sensorId = "vps-frankfurt-01";
export const sensorToken = "fixture-token";
export const sensorEnvironment = { [`LOOM_SENSOR_${sensorId}`]: sensorToken };

export interface StartOptions {
  /** The command-line arguments; default: `-config loom.toml`. */
  readonly args?: readonly string[];
  /** The text of loom.toml; undefined: the file does not exist. */
  readonly config?: string | undefined;
  /** The complete environment of the process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Further files for the working directory, by name; a name may have folders. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** A descriptor for its standard output instead of a file. The caller closes it. */
  readonly stdout?: number;
}

/** A running executable, in a directory that contains only the executable and the given files. */
export interface Executable extends AsyncDisposable {
  readonly pid: number;
  /** The working directory. */
  readonly folder: string;
  readonly exited: Promise<number>;
  signal(name: "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGKILL"): void;
  /** Everything that was written to stdout. */
  stdoutBytes(): Buffer;
  /** Everything that was written to stderr. */
  stderrText(): string;
  /** The physical memory that the process uses now (VmRSS), in bytes. */
  memoryBytes(): number;
}

/** A Loom that has started and is listening. */
export interface RunningLoom extends Executable {
  readonly ingestPort: number;
  readonly ingestUrl: string;
  readonly managementUrl: string;
  /** Waits until the log (in the format "json") has `count` lines with this message and these fields. */
  logged(
    message: string,
    fields?: Readonly<Record<string, unknown>>,
    count?: number,
  ): Promise<readonly LogLine[]>;
}

export interface LogLine {
  readonly msg: string;
  readonly level: string;
  readonly [field: string]: unknown;
}

/** Starts the executable and does not wait. */
export function runExecutable(options: StartOptions = {}): Executable {
  const { args = ["-config", "loom.toml"], config, environment = sensorEnvironment, files = {} } = options;
  const root = mkdtempSync(join(builtExecutable(), "../run-"));
  const folder = join(root, "cwd");
  mkdirSync(folder);
  linkSync(builtExecutable(), join(folder, "loom"));
  if (config !== undefined) writeFileSync(join(folder, "loom.toml"), config);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const stdoutFile = join(root, "stdout");
  const stderrFile = join(root, "stderr");
  const stdout = options.stdout ?? openSync(stdoutFile, "w");
  const stderr = openSync(stderrFile, "w");
  const child = Bun.spawn(["./loom", ...args], {
    cwd: folder,
    env: environment,
    stdin: "ignore",
    stdout,
    stderr,
  });
  closeSync(stderr);
  if (options.stdout === undefined) closeSync(stdout);
  return {
    pid: child.pid,
    folder,
    exited: child.exited,
    signal: (name) => child.kill(name),
    stdoutBytes: () => readFileSync(stdoutFile),
    stderrText: () => readFileSync(stderrFile, "utf8"),
    memoryBytes() {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      rmSync(root, { recursive: true });
    },
  };
}

/** Starts Loom with a configuration (default: `plainConfig`) and waits until it listens. */
export async function startExecutable(options: StartOptions = {}): Promise<RunningLoom> {
  const executable = runExecutable({ config: plainConfig, ...options });
  const linesNow = () => parseLog(executable.stderrText());
  try {
    const lines = await until("Loom listens", () => {
      if (hasEnded(executable.pid)) throw new Error(`Loom ended: ${executable.stderrText()}`);
      const lines = linesNow();
      return lines.some(({ msg }) => msg.startsWith("ingest server listening")) && lines;
    });
    const portOf = (server: string) =>
      Number(/\d+$/.exec(String(lines.find(({ msg }) => msg.startsWith(`${server} server`))?.addr))?.[0]);
    const scheme = lines.some(({ msg }) => msg === "ingest server listening (TLS)") ? "https" : "http";
    return {
      ...executable,
      ingestPort: portOf("ingest"),
      ingestUrl: `${scheme}://127.0.0.1:${portOf("ingest")}/api/v1/ingest`,
      managementUrl: `http://127.0.0.1:${portOf("management")}`,
      logged: (message, fields = {}, count = 1) =>
        until(`"${message}" in the log ${count} times`, () => {
          const wanted = Object.entries({ msg: message, ...fields });
          const found = linesNow().filter((line) => wanted.every(([name, value]) => line[name] === value));
          return found.length >= count && found;
        }),
    };
  } catch (error) {
    await executable[Symbol.asyncDispose]();
    throw error;
  }
}

/** Runs the executable until it exits. */
export async function runToEnd(options: StartOptions = {}) {
  await using executable = runExecutable(options);
  const status = await executable.exited;
  return { status, stdout: executable.stdoutBytes().toString(), stderr: executable.stderrText() };
}

export function parseLog(stderrText: string): LogLine[] {
  const whole = stderrText.slice(0, stderrText.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

function hasEnded(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}

let executablePath: string | undefined;

/** The executable's path. It is built once, because all test files of a process share this module. */
export function builtExecutable(): string {
  executablePath ??= build();
  return executablePath;
}

/**
 * Waits until this process ends, because a test file does not know whether it is the last one; the pipe then closes, for
 * whatever reason the process ended. Kills the processes that a failed test left in the folder $1, and removes the folder.
 */
const cleanUp = `
read -r _
for cwd in /proc/[0-9]*/cwd; do
  case $(readlink "$cwd") in
    "$1"/*) kill -9 "$(basename "$(dirname "$cwd")")" ;;
  esac
done
rm -rf "$1"
`;

function build(): string {
  const folder = mkdtempSync(join(tmpdir(), "loom-test-"));
  Bun.spawn(["sh", "-c", cleanUp, "sh", folder], { stdin: "pipe" }).unref();
  const outfile = join(folder, "loom");
  const result = Bun.spawnSync(compileCommand(outfile), {
    cwd: join(import.meta.dir, "../.."),
    stdout: "pipe",
    stderr: "pipe",
  });
  if (!result.success) throw new Error(`cannot build the executable: ${result.stderr}`);
  return outfile;
}
