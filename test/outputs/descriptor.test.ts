import { describe, expect, test } from "bun:test";
import { ConfigError } from "../../server/config/config-error.ts";
import { optional, required, withDefault } from "../../server/config/key.ts";
import { flag, path } from "../../server/config/kind.ts";
import { parseConfig } from "../../server/config/load-config.ts";
import { defineOutput, defineUnbuiltOutput } from "../../server/outputs/descriptor.ts";
import type { Output } from "../../server/outputs/output.ts";
import { startOutputs } from "../../server/outputs/outputs.ts";
import { stdout } from "../../server/outputs/stdout/descriptor.ts";
import { refusal } from "../config/refusal.ts";
import { silentLog } from "../support/log.ts";

const context = { log: silentLog, onFatal: () => {} };
let created: unknown;

/** An output that does nothing, with one key of each sort. */
const file = defineOutput({
  name: "file",
  title: "File",
  description: "A file.",
  keys: {
    file_path: required(path, "The path.", { example: '"a"' }),
    file_is_synced: withDefault(flag, true, "Syncs."),
    file_lock_path: optional(path, "A lock.", { example: '"b"', environment: "LOOM_FILE_LOCK_PATH" }),
  },
  check({ path: file, lockPath }) {
    if (file === lockPath) throw new ConfigError("config: output: file_lock_path is file_path");
  },
  create(settings): Output {
    const [filePath, isSynced, lockPath]: [string, boolean, string | undefined] = [
      settings.path,
      settings.isSynced,
      settings.lockPath,
    ];
    created = { filePath, isSynced, lockPath };
    return { name: "file", send: async () => ({ kind: "delivered" }), close() {} };
  },
});

const unbuilt = defineUnbuiltOutput({ name: "pigeon", title: "Pigeon", description: "Birds.", keys: {} });

function parse(output: string, environment = {}) {
  return parseConfig(`[server]\ntls = false\n[output]\n${output}`, environment, [stdout, file, unbuilt]);
}

function configure(output: string, environment = {}) {
  return parse(output, environment).output;
}

describe("a new output needs only its descriptor:", () => {
  test("its keys are read, and its settings are named like them", async () => {
    const [output] = configure('type = "file"\nfile_path = "/x"', { LOOM_FILE_LOCK_PATH: "/y" }).outputs;
    expect((await output?.create(context))?.name).toBe("file");
    expect(created).toEqual({ filePath: "/x", isSynced: true, lockPath: "/y" });
  });

  test("a required key must be set", () => {
    expect(refusal(() => configure('type = "file"'))).toBe(
      'config: output: file_path is missing; type = "file" needs it',
    );
  });

  test("its own check is applied", () => {
    expect(refusal(() => configure('type = "file"\nfile_path = "a"\nfile_lock_path = "a"'))).toBe(
      "config: output: file_lock_path is file_path",
    );
  });

  test("other outputs do not have its keys", () => {
    const toml = "[server]\ntls = false\n[output]\nfile_path = 'a'";
    expect(refusal(() => parseConfig(toml, {}, [stdout, unbuilt]))).toContain('unknown key "file_path"');
  });
});

test("an output needs the outbox unless its descriptor says that it does not", () => {
  const toml = (type: string) => `type = "${type}"\nfile_path = "a"\n[output.outbox]\nenabled = false`;
  const warning = "config: output.outbox: enabled is false and has no effect";
  const warningsOf = (type: string) => parse(toml(type)).warnings.filter((line) => line.startsWith(warning));
  expect([warningsOf("file").length, warningsOf("stdout").length]).toEqual([1, 0]);
  expect(configure(toml("stdout")).outputs.map(({ needsOutbox }) => needsOutbox)).toEqual([false]);
});

test("an output that is not built can be configured, and does not start", async () => {
  const config = configure('type = "pigeon"');
  const starting = startOutputs(config, { ...context, onAttempt: () => {} });
  expect(await starting.catch((error: Error) => error.message)).toBe(
    'config: output: type "pigeon" is not implemented; this version has "stdout", "store", "clickhouse" and "elasticsearch"',
  );
});
