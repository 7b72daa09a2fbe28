import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./structure/source-files.ts";
import { builtExecutable, maxTestMs, parseLog, plainConfig, sensorToken } from "./support/executable.ts";
import { send } from "./support/send.ts";
import { until } from "./support/until.ts";

setDefaultTimeout(maxTestMs);

interface Unit {
  readonly page: string;
  readonly text: string;
}

/** The units of systemd in the documentation. */
const units: Unit[] = ["README.md", ...pagesOf("docs")].flatMap((page) =>
  [...readFileSync(join(root, page), "utf8").matchAll(/^```ini\n(.*?)^```$/gms)].flatMap(([, text = ""]) =>
    /^\[Service\]$/m.test(text) ? [{ page, text }] : [],
  ),
);

function pagesOf(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
}

/** The values of a directive, in order. */
function valuesOf({ text }: Unit, directive: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [name, ...rest] = line.split("=");
    return name === directive ? [rest.join("=")] : [];
  });
}

test("the documentation has a unit of systemd", () => {
  expect(units.map(({ page }) => page)).toEqual(["docs/operations.md"]);
});

const canVerify = Bun.which("systemd-analyze") !== null;

for (const unit of units)
  describe(`the unit in ${unit.page}`, () => {
    // This only reads the unit and starts nothing.
    test.skipIf(!canVerify)(
      `is accepted by systemd-analyze verify${canVerify ? "" : " (skipped: no systemd-analyze)"}`,
      () => {
        const folder = mkdtempSync(join(tmpdir(), "loom-unit-"));
        writeFileSync(join(folder, "loom.service"), unit.text);
        const { exitCode, stderr } = Bun.spawnSync([
          "systemd-analyze",
          "verify",
          "--man=no",
          join(folder, "loom.service"),
        ]);
        rmSync(folder, { recursive: true });
        const aboutLoom = stderr
          .toString()
          .split("\n")
          .filter((line) => line.includes("loom"));
        expect([exitCode, aboutLoom]).toEqual([0, []]);
      },
    );

    test("lets systemd open no file, because it does so before it creates the unit's directories", () => {
      const streams = ["StandardInput", "StandardOutput", "StandardError"].flatMap((name) =>
        valuesOf(unit, name),
      );
      expect(streams.filter((value) => /^(file|append|truncate):/.test(value))).toEqual([]);
    });

    test("allows memory that is written and executed, which a program on Bun needs", () => {
      expect(valuesOf(unit, "MemoryDenyWriteExecute")).toEqual([]);
    });

    test("starts Loom with its command, which writes events to the file, and is stopped with its process id", async () => {
      const [command = ""] = valuesOf(unit, "ExecStart");
      const [, script = ""] = /^\/bin\/sh -c '(.*)'$/.exec(command) ?? [];
      const folder = mkdtempSync(join(tmpdir(), "loom-unit-"));
      // As LogsDirectory= does.
      mkdirSync(join(folder, "log"));
      writeFileSync(join(folder, "loom.toml"), plainConfig);
      const here = script
        .replace("/usr/local/bin/loom", builtExecutable())
        .replace("/etc/loom/", `${folder}/`)
        .replace("/var/log/loom/", `${folder}/log/`);
      const logFile = join(folder, "stderr");
      const shell = Bun.spawn(["/bin/sh", "-c", here], {
        // The shell passes on only variables whose names a shell allows; systemd accepts no others either.
        env: { LOOM_SENSOR_vps_1: sensorToken },
        stdio: ["ignore", "ignore", Bun.file(logFile)],
      });
      try {
        const address = await until("Loom listens", () => {
          const lines = parseLog(readFileSync(logFile, "utf8"));
          return lines.find(({ msg }) => msg.startsWith("ingest server listening"))?.addr;
        });
        expect(await send(`http://${address}/`, '[{"a":1}]')).toBe(204);
        shell.kill("SIGTERM");
        expect(await shell.exited).toBe(0);
        expect(readFileSync(join(folder, "log/events.ndjson"), "utf8")).toBe('{"a":1}\n');
      } finally {
        shell.kill("SIGKILL");
        await shell.exited;
      }
      rmSync(folder, { recursive: true });
    });
  });
