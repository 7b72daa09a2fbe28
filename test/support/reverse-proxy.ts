import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../structure/source-files.ts";
import { createCertificate } from "./certificate.ts";
import type { RunningLoom } from "./executable.ts";
import { freePort } from "./free-port.ts";
import { runUntilInputEnds } from "./program.ts";
import type { ProxyProgram } from "./proxy-programs.ts";
import { until } from "./until.ts";

/** A proxy with the configuration in docs/reverse-proxies.md, apart from addresses and paths. */
export interface ReverseProxy extends AsyncDisposable {
  readonly sensorPort: number;
  readonly dashboardPort: number;
}

/**
 * Starts a proxy in front of a Loom with plain HTTP.
 * @param edit changes the documented configuration
 */
export async function startReverseProxy(
  program: ProxyProgram,
  executable: string,
  loom: Pick<RunningLoom, "ingestPort" | "managementUrl">,
  edit: (text: string) => string = (text) => text,
): Promise<ReverseProxy> {
  const folder = mkdtempSync(join(tmpdir(), "loom-proxy-"));
  const [sensorPort, dashboardPort] = [freePort(), freePort()];
  const { cert, key } = createCertificate("loom.example.com");
  writeFileSync(join(folder, "tls.crt"), cert);
  writeFileSync(join(folder, "tls.key"), key);
  writeFileSync(join(folder, "loom.pem"), cert + key);
  const text = documented(program, {
    SENSORS: sensorPort,
    DASHBOARD: dashboardPort,
    FOLDER: folder,
    INGEST: loom.ingestPort,
    MANAGEMENT: new URL(loom.managementUrl).port,
  });
  const file = join(folder, "configuration");
  writeFileSync(file, program.wrap(edit(text), folder));
  const log = join(folder, "log");
  const child = Bun.spawn(["sh", "-c", runUntilInputEnds, "sh", ...program.command(executable, file)], {
    cwd: folder,
    env: { HOME: folder, PATH: process.env.PATH },
    stdin: "pipe",
    stdout: Bun.file(log),
    stderr: Bun.file(log),
  });
  const dispose = async () => {
    child.stdin.end();
    await child.exited;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(`${program.name} listens`, async () => {
      if (child.exitCode !== null) throw new Error(`${program.name} ended: ${readFileSync(log, "utf8")}`);
      return (await Promise.all([sensorPort, dashboardPort].map(isListening))).every((listens) => listens);
    });
  } catch (error) {
    await dispose();
    throw error;
  }
  return { sensorPort, dashboardPort, [Symbol.asyncDispose]: dispose };
}

/** The documented configuration with the places of the test. */
function documented(
  { language, places }: ProxyProgram,
  values: Readonly<Record<string, string | number>>,
): string {
  const page = readFileSync(join(root, "docs/reverse-proxies.md"), "utf8");
  const [block, ...others] = page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"));
  if (!block || others.length > 0) throw new Error(`the page does not have one block of ${language}`);
  const loom = { "127.0.0.1:8080": "127.0.0.1:$INGEST", "127.0.0.1:9080": "127.0.0.1:$MANAGEMENT" };
  return Object.entries({ ...places, ...loom }).reduce(
    (text, [old, wanted]) =>
      replaced(
        text,
        old,
        wanted.replace(/\$(\w+)/, (_, name: string) => `${values[name]}`),
      ),
    block[1] ?? "",
  );
}

/** @throws Error if the text does not contain what should be replaced */
export function replaced(text: string, old: string, wanted: string): string {
  if (!text.includes(old)) throw new Error(`the documented configuration does not have "${old}"`);
  return text.replaceAll(old, wanted);
}

async function isListening(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false; // not yet
  }
}
