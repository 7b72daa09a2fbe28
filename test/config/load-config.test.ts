import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig, parseConfig } from "./parse.ts";
import { refusal, refusalOf } from "./refusal.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "loom-config-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const plain = "[server]\ntls = false\n";

test("the file and the environment are read", async () => {
  const path = write("good.toml", `${plain}listen_address = ":8080"\n`);
  const config = await loadConfig(path, { LOOM_ADMIN_TOKEN: "loom" });
  expect([config.server.listenAddress.port, config.management.adminToken]).toEqual([8080, "loom"]);
});

test("a byte order mark and Windows line ends are accepted", async () => {
  const path = write("windows.toml", `\u{feff}${plain.replaceAll("\n", "\r\n")}`);
  expect((await loadConfig(path, {})).server.tls).toBeUndefined();
});

test("the error on a missing file names it and says what to do", async () => {
  const path = join(folder, "loom.toml");
  expect(await refusalOf(loadConfig(path, {}))).toBe(
    `config: cannot read ${path}: no such file (choose another file with -config, or write one with "loom example-config")`,
  );
});

test("the error on a directory says that it is one", async () => {
  const path = join(folder, "folder.toml");
  mkdirSync(path);
  expect(await refusalOf(loadConfig(path, {}))).toBe(`config: cannot read ${path}: it is a directory`);
});

test("a file over 1 MiB is refused", async () => {
  const path = write("large.toml", plain + "#".repeat(1024 * 1024));
  expect(await refusalOf(loadConfig(path, {}))).toBe(
    `config: cannot read ${path}: larger than 1048576 bytes`,
  );
});

test("a file that is not UTF-8 is refused", async () => {
  const path = write("latin1.toml", Buffer.from(`${plain}# \xe4`, "latin1"));
  expect(await refusalOf(loadConfig(path, {}))).toBe(`config: cannot read ${path}: it is not UTF-8`);
});

test("a syntax error is one line with file, line and column", async () => {
  const path = write("syntax.toml", `${plain}listen_address = :8080\n`);
  expect(await refusalOf(loadConfig(path, {}))).toBe(`config: ${path}: line 3, column 18: invalid value`);
});

test("a syntax error does not show the line it is on", () => {
  const message = refusal(() => parseConfig('[output]\nclickhouse_password = "hunter2" oops', {}));
  expect(message).toStartWith("config: loom.toml: line 2, column ");
  expect(message).not.toContain("hunter2");
});

test("nesting over a bound is a syntax error", () => {
  expect(refusal(() => parseConfig(`a = ${"[".repeat(100_000)}`, {}))).toContain("excessively nested");
});

test("the result is deeply frozen", () => {
  const config = parseConfig(plain, {});
  const parts = [
    config,
    config.server,
    config.server.listenAddress,
    config.output.outbox,
    config.output.type,
  ];
  expect(parts.map((part) => Object.isFrozen(part))).toEqual([true, true, true, true, true]);
});

test("a configuration does not affect the next one", () => {
  parseConfig(`${plain}[logging]\nlevel = "debug"`, {});
  expect(parseConfig(plain, {}).logging.level).toBe("info");
});
