import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A current ClickHouse engine behind the HTTP interface that Loom uses. */
export interface ChdbServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param python the interpreter of an environment that has chdb-core */
export async function startChdb(python: string): Promise<ChdbServer> {
  const folder = mkdtempSync(join(tmpdir(), "loom-chdb-"));
  const server = Bun.spawn([python, join(import.meta.dir, "chdb-server.py"), folder], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: Bun.file(join(folder, "stderr")),
  });
  const stop = async () => {
    server.kill("SIGKILL");
    await server.exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const { value } = await server.stdout.getReader().read();
  const port = Number(new TextDecoder().decode(value).trim());
  if (port > 0) return { url: `http://127.0.0.1:${port}`, stop };
  const said = await Bun.file(join(folder, "stderr")).text();
  await stop();
  throw new Error(`chdb did not start: ${said.trim().slice(-400)}`);
}
