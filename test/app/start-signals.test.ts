import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { maxTestMs, parseLog, plainConfig, runExecutable } from "../support/executable.ts";
import { createNamedPipe } from "../support/named-pipe.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

/** Loom waits for its tokens, because the token file is a pipe. */
async function startHeldByTokens() {
  const tokens = createNamedPipe();
  const config = `${plainConfig}[auth]\ntoken_file = "${tokens.path}"\n`;
  const loom = runExecutable({ config, environment: {} });
  await tokens.reader();
  return { loom, tokens };
}

for (const signal of ["SIGTERM", "SIGINT"] as const)
  describe(signal, () => {
    test("while the configuration is read ends the start with status 0", async () => {
      using config = createNamedPipe();
      await using loom = runExecutable({ args: ["-config", config.path] });
      await config.reader();
      loom.signal(signal);
      expect(await loom.exited).toBe(0);
      expect(loom.stderrText()).toBe("");
    });

    test("while the tokens are read ends the start with status 0, and no port is opened", async () => {
      const { loom, tokens } = await startHeldByTokens();
      await using _loom = loom;
      using _tokens = tokens;
      loom.signal(signal);
      loom.signal(signal);
      expect(await loom.exited).toBe(0);
      expect(parseLog(loom.stderrText()).map(({ msg }) => msg)).toEqual(["stopping", "stopped"]);
    });

    test("while the outbox recovers ends the start with status 0", async () => {
      const dir = mkdtempSync(join(tmpdir(), "loom-recovery-"));
      // Nobody ever writes to this segment, so its recovery does not end.
      using _segment = createNamedPipe(join(dir, "00000000000000000001.seg"));
      const config = `${plainConfig}[output]\ntype = "clickhouse"\nclickhouse_url = "http://127.0.0.1:9"\n[output.outbox]\ndir = "${dir}"\n`;
      await using loom = runExecutable({ config });
      await until("the outbox is locked", () => existsSync(join(dir, "lock.holder")));
      loom.signal(signal);
      expect(await loom.exited).toBe(0);
      expect(parseLog(loom.stderrText()).map(({ msg }) => msg)).toEqual(["stopping", "stopped"]);
      rmSync(dir, { recursive: true });
    });

    test("ends a command that has nothing to stop as usual", async () => {
      using config = createNamedPipe();
      await using loom = runExecutable({ args: ["dead-letters", "list", "-config", config.path] });
      await config.reader();
      loom.signal(signal);
      expect(await loom.exited).toBe(signal === "SIGTERM" ? 143 : 130);
    });
  });

test("SIGHUP during the start does not end it, and reloads when it is over", async () => {
  const { loom, tokens } = await startHeldByTokens();
  await using _loom = loom;
  using _tokens = tokens;
  loom.signal("SIGHUP");
  const next = `${tokens.path}.new`;
  writeFileSync(next, "new-token,vps-1\n", { mode: 0o600 });
  renameSync(next, tokens.path);
  tokens.write("old-token,vps-1\n");
  const address = await until("the tokens are reloaded", () => {
    const lines = parseLog(loom.stderrText());
    const isReloaded = lines.some(({ msg, part }) => msg === "reloaded" && part === "tokens");
    return isReloaded && String(lines.find(({ msg }) => msg.startsWith("ingest server"))?.addr);
  });
  expect(loom.stderrText()).toContain("SIGHUP was received during the start; reloading now");
  const url = `http://${address}/api/v1/ingest`;
  expect(await send(url, "[]", { token: "new-token" })).toBe(204);
  expect(await send(url, "[]", { token: "old-token" })).toBe(401);
});

test("SIGHUP while the configuration is read does not end the start", async () => {
  using config = createNamedPipe();
  await using loom = runExecutable({ args: ["-config", config.path] });
  await config.reader();
  loom.signal("SIGHUP");
  config.write(plainConfig);
  await until("Loom has reloaded", () => loom.stderrText().includes("SIGHUP was received during the start"));
  loom.signal("SIGTERM");
  expect(await loom.exited).toBe(0);
});
