import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface ProgramOptions {
  readonly cwd?: string;
  /** Added to the environment of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A program that runs beside Loom. */
export interface Program extends AsyncDisposable {
  /** What it wrote to stdout and stderr. */
  output(): string;
  /** Asks it to end, and waits until it has ended. */
  stop(): Promise<void>;
}

/** Runs a command until the input ends, which it also does when the test process ends, for whatever reason. */
export const runUntilInputEnds = `
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{ read -r _; kill $program; } <&3 &
wait $program
`;

export function startProgram(command: readonly string[], options: ProgramOptions = {}): Program {
  const folder = mkdtempSync(join(tmpdir(), "loom-program-"));
  const outputPath = join(folder, "output");
  const child = Bun.spawn(["sh", "-c", `exec 2>&1\n${runUntilInputEnds}`, "sh", ...command], {
    cwd: options.cwd ?? folder,
    env: { ...process.env, ...options.environment },
    stdin: "pipe",
    stdout: Bun.file(outputPath),
  });
  const stop = async () => {
    child.stdin.end();
    await child.exited;
  };
  return {
    output: () => readFileSync(outputPath, "utf8"),
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Runs a program until it ends. @throws Error with its output if its status is not 0 */
export async function runProgram(command: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const child = Bun.spawn([...command], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const status = await child.exited;
  if (status !== 0) throw new Error(`${command.join(" ")} ended with status ${status}: ${stdout}${stderr}`);
  return stdout;
}
