/**
 * Tries `dist/loom` in an empty directory with a configuration and a token: sends a batch over HTTP, reads the event from
 * stdout and stops Loom. Exits with status 1 if anything differs from what is expected.
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const directory = mkdtempSync(join(tmpdir(), "loom-smoke-"));
const startDeadlineMs = 10_000;

copyFileSync(join(root, "dist/loom"), join(directory, "loom"));
writeFileSync(join(directory, "loom.toml"), '[server]\ntls = false\nlisten_address = "127.0.0.1:0"\n');
const loom = Bun.spawn([join(directory, "loom")], {
  cwd: directory,
  env: { LOOM_SENSOR_smoke: "smoke-token" },
  stdout: "pipe",
  stderr: "pipe",
});
const deadline = setTimeout(() => loom.kill("SIGKILL"), startDeadlineMs);
try {
  const version = Bun.spawnSync([join(directory, "loom"), "version"])
    .stdout.toString()
    .trim();
  const port = await listeningPort();
  // The first address is for documentation (RFC 5737), so the event passes unchanged. The second one is enriched from the databases
  // in the executable.
  const event = '{"n":18446744073709551615,"source":{"ip":"192.0.2.1"}}';
  const known = '{"source":{"ip":"8.8.8.8"}}';
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/ingest`, {
    method: "POST",
    headers: { authorization: "Bearer smoke-token", "content-type": "application/json" },
    body: `[${event},${known}]`,
  });
  if (answer.status !== 204) throw new Error(`ingest answered ${answer.status} ${await answer.text()}`);
  loom.kill("SIGTERM");
  const lines = await new Response(loom.stdout).text();
  const [unchanged, enriched] = lines.split("\n");
  if (
    unchanged !== event ||
    !enriched?.includes('"country_iso_code":"US"') ||
    !enriched.includes('"number":15169')
  )
    throw new Error(`stdout holds ${JSON.stringify(lines)}`);
  if ((await loom.exited) !== 0) throw new Error(`exit status ${loom.exitCode}`);
  console.log(
    `smoke: ${version} receives a batch, enriches it and writes it to stdout in an empty directory`,
  );
} finally {
  clearTimeout(deadline);
  loom.kill("SIGKILL");
  await loom.exited;
  rmSync(directory, { recursive: true });
}

async function listeningPort(): Promise<string> {
  let log = "";
  for await (const chunk of loom.stderr) {
    log += Buffer.from(chunk).toString();
    const port = /"ingest server listening \(no TLS\)","addr":"127\.0\.0\.1:(\d+)"/.exec(log)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error(`the executable did not start: ${log}`);
}
