import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { countRows, listFiles } from "../../server/store/store-directory.ts";
import { maxTestMs, plainConfig, runExecutable, runToEnd, startExecutable } from "../support/executable.ts";
import { capturedRequests } from "../support/fixtures.ts";
import { untilDrained } from "../support/metrics.ts";
import { send } from "../support/send.ts";
import { storeFiles } from "../support/store-reader.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const root = mkdtempSync(join(tmpdir(), "loom-store-commands-"));
afterAll(() => rmSync(root, { recursive: true }));

const sent = capturedRequests
  .flatMap(({ body }) => JSON.parse(body) as Record<string, unknown>[])
  .map((event) => ({ ...event, "@timestamp": new Date(Date.now() - 3_600_000).toISOString() }));

function configFor(name: string, type = '["store", "stdout"]'): string {
  return `${plainConfig}
[output]
type = ${type}
store_dir = "${join(root, name)}"
[output.outbox]
dir = "${join(root, `${name}-outbox`)}"
flush_interval_ms = 20
`;
}

/** Runs `loom store` in a directory that has only the executable, a configuration and these files. */
function store(
  name: string,
  args: readonly string[],
  files: Readonly<Record<string, string | Uint8Array>> = {},
) {
  return runToEnd({ config: configFor(name), args: ["store", ...args], environment: {}, files });
}

/** What Loom wrote to stdout when it filled the store "made". */
let delivered = "";

beforeAll(async () => {
  await using loom = await startExecutable({ config: configFor("made") });
  expect(await send(loom.ingestUrl, JSON.stringify(sent))).toBe(204);
  await untilDrained(loom.managementUrl, "store");
  await until(
    "all events are on stdout",
    () => loom.stdoutBytes().toString().split("\n").length > sent.length,
  );
  loom.signal("SIGTERM");
  expect(await loom.exited).toBe(0);
  delivered = loom.stdoutBytes().toString();
});

describe("in a directory with only the executable and its configuration", () => {
  test("search prints what was delivered, and what matches a query", async () => {
    const search = (...args: string[]) =>
      runToEnd({ config: configFor("made"), args: ["search", ...args], environment: {} });
    expect(await search()).toEqual({ status: 0, stdout: delivered, stderr: "" });
    const { stdout } = await search("port:23");
    const lines = delivered.split("\n").filter((line) => line.includes('"port":23}'));
    expect(lines.length).toBeGreaterThan(0);
    expect(stdout).toBe(`${lines.join("\n")}\n`);
  });

  test("export prints what was delivered byte for byte, and CSV with the same number of events", async () => {
    expect(await store("made", ["export"])).toEqual({ status: 0, stdout: delivered, stderr: "" });
    const { stdout } = await store("made", ["export", "-format", "csv", "-columns", "port"]);
    expect(stdout.split("\r\n").length).toBe(sent.length + 2);
  });

  test("stats has the file, its events, and the limits", async () => {
    const { status, stdout } = await store("made", ["stats"]);
    expect(status).toBe(0);
    const [file] = storeFiles(join(root, "made"));
    const bytes = Bun.file(join(root, "made", file ?? "")).size;
    expect(stdout).toMatch(
      new RegExp(`^${file} +\\d{4}-\\d\\d-\\d\\d +${sent.length} +${bytes} +\\d+$`, "m"),
    );
    expect(stdout).toMatch(/^limits {5}\d+ bytes \(decided at the first start.*30 days$/m);
    expect(stdout).toContain("damaged/   nothing\n");
  });

  test("verify finds nothing, and leaves the directory as it was", async () => {
    const before = readdirSync(join(root, "made"));
    const { status, stdout } = await store("made", ["verify"]);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: `1 files with ${sent.length} events: nothing is damaged\n`,
    });
    expect(readdirSync(join(root, "made"))).toEqual(before);
  });

  test("an export that is imported into an empty store, also compressed, is exported byte for byte", async () => {
    for (const [name, content] of [
      ["plain", delivered],
      ["gzip", gzipSync(delivered)],
    ] as const) {
      const imported = await store(name, ["import", "events"], { events: content });
      expect(imported).toEqual({ status: 0, stdout: "", stderr: `${sent.length} events are imported\n` });
      expect((await store(name, ["export"])).stdout).toBe(delivered);
      expect((await store(name, ["verify"])).status).toBe(0);
    }
  });

  test("verify lists what is damaged, and exits with status 1", async () => {
    cpSync(join(root, "made"), join(root, "flipped"), { recursive: true });
    const [file = ""] = storeFiles(join(root, "flipped"));
    {
      using database = new Database(join(root, "flipped", file), { readwrite: true, create: false });
      const { row, z } = database.query("SELECT row, z FROM tail").get() as { row: number; z: Uint8Array };
      z[z.length - 1] = (z.at(-1) ?? 0) ^ 1;
      database.query("UPDATE tail SET z = ? WHERE row = ?").run(z, row);
    }
    const { status, stdout } = await store("flipped", ["verify"]);
    expect(status).toBe(1);
    const rows = `documents of rows 1 to ${sent.length} (${sent.length})`;
    expect(stdout).toBe(
      `${file}: ${rows}: a blob does not have its hash\n1 files with ${sent.length} events: 1 part is damaged\n`,
    );
  });
});

test("beside a running Loom, stats, verify and export read, import is refused, and prune keeps what it writes", async () => {
  const config = configFor("busy");
  await using loom = await startExecutable({ config });
  expect(await send(loom.ingestUrl, JSON.stringify(sent))).toBe(204);
  await untilDrained(loom.managementUrl, "store");
  expect((await store("busy", ["stats"])).stdout).toContain(` ${sent.length} `);
  expect((await store("busy", ["verify"])).status).toBe(0);
  expect((await store("busy", ["export"])).stdout.split("\n").length).toBe(sent.length + 1);
  const imported = await store("busy", ["import", "events"], { events: delivered });
  expect(imported).toEqual({
    status: 1,
    stdout: "",
    stderr: `store: ${join(root, "busy")} is in use by another Loom (process ${loom.pid}); stop it before the import\n`,
  });
  const pruned = await store("busy", ["prune", "-before", "2999-01-01"]);
  expect(pruned.stdout).toContain("stays, because a running Loom writes it\n");
  expect(await send(loom.ingestUrl, JSON.stringify(sent))).toBe(204);
  await untilDrained(loom.managementUrl, "store");
  loom.signal("SIGTERM");
  expect(await loom.exited).toBe(0);
  expect((await store("busy", ["export"])).stdout.split("\n").length).toBe(2 * sent.length + 1);
});

test("an import that is stopped says what stays, and that is in the store", async () => {
  const lines = Array.from(
    { length: 40_000 },
    (_, n) => `{"n":${n},"observer":{"id":"vps-1"},"x":"${"a".repeat(n % 50)}"}\n`,
  );
  const pipe = join(root, "pipe");
  Bun.spawnSync(["mkfifo", pipe]);
  await using command = runExecutable({
    config: configFor("stopped"),
    args: ["store", "import", pipe],
    environment: {},
  });
  await Bun.write(join(root, "lines"), lines.join(""));
  const writer = Bun.spawn(
    ["sh", "-c", `exec 3>"$1"; cat "$2" >&3; read -r _`, "sh", pipe, join(root, "lines")],
    {
      stdin: "pipe",
    },
  );
  try {
    await until("a part is stored", () => storedIn("stopped") >= 32_768);
    command.signal("SIGINT");
    expect(await command.exited).toBe(130);
  } finally {
    writer.kill();
  }
  expect(command.stderrText()).toBe(
    `import: stopped; 32768 events, from the lines up to ${pipe}:32768, are imported and stay\n`,
  );
  expect((await store("stopped", ["export"])).stdout).toBe(lines.slice(0, 32_768).join(""));
});

/** The number of rows of the only file of a store; 0 if it has none yet. */
function storedIn(name: string): number {
  const dir = join(root, name);
  const [file] = existsSync(dir) ? listFiles(dir) : [];
  return file ? countRows(dir, file) : 0;
}

test("a configuration without the store is an error that says so", async () => {
  const config = configFor("none", '"stdout"').replace(/^store_dir.*$/m, "");
  const { status, stderr } = await runToEnd({ config, args: ["store", "stats"], environment: {} });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^loom store: output\.type does not have "store"[^\n]*\n$/);
});
