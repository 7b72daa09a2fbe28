import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, openSync, renameSync } from "node:fs";
import { join } from "node:path";
import {
  type LogLine,
  maxTestMs,
  parseLog,
  plainConfig,
  type RunningLoom,
  runToEnd,
  sensorToken,
  startExecutable,
} from "../support/executable.ts";
import { createNamedPipe } from "../support/named-pipe.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const tokenLine = `${sensorToken},vps-1\n`;
const withTokens = (path: string) => `${plainConfig}[auth]\ntoken_file = "${path}"\n`;

async function answers(loom: RunningLoom): Promise<void> {
  expect((await fetch(`${loom.managementUrl}/health`)).status).toBe(200);
  expect(await send(loom.ingestUrl, "[]")).toBe(204);
}

/** Waits until this many reloads of the tokens have failed. Loom gives a file 10 s. */
function failedReloads(loom: RunningLoom, count: number): Promise<readonly LogLine[]> {
  return until(
    `${count} failed reloads`,
    () => {
      const found = parseLog(loom.stderrText()).filter(
        ({ msg, part }) => msg === "cannot reload; the previous content stays in use" && part === "tokens",
      );
      return found.length >= count && found;
    },
    30_000,
  );
}

describe.concurrent("a named pipe that nobody writes to", () => {
  test("ends the start with an error that names it", async () => {
    using pipe = createNamedPipe();
    const { path } = pipe;
    const late = "no answer within 10 s";
    const cases: [config: string, error: string][] = [
      [withTokens(path), `auth: cannot read token_file ${path}: ${late}`],
      [
        `[server]\ncert_file = "${path}"\nkey_file = "${path}"\n`,
        `config: server: cannot read cert_file ${path}: ${late}`,
      ],
      [
        `${plainConfig}[output]\ntype = "elasticsearch"\nelasticsearch_url = "https://127.0.0.1:9"\nelasticsearch_ca_file = "${path}"\n`,
        `output: elasticsearch_ca_file: cannot read ${path}: ${late}`,
      ],
      [
        `${plainConfig}[enrichment]\ngeoip_db_path = "${path}"\n`,
        `enrichment: geoip_db_path: cannot open ${path}: it is not a regular file`,
      ],
    ];
    const starts: Promise<{ status: number; stderr: string }>[] = cases.map(([config]) =>
      runToEnd({ config }),
    );
    starts.push(runToEnd({ args: ["-config", path] }));
    const errors = [...cases.map(([, error]) => error), `config: cannot read ${path}: ${late}`];
    expect((await Promise.all(starts)).map(({ status, stderr }) => [status, stderr])).toEqual(
      errors.map((error) => [1, `${error}\n`]),
    );
  });

  test("as the token file of a reload leaves the old tokens in use, and everything is served meanwhile", async () => {
    await using loom = await startExecutable({
      config: withTokens("tokens.txt"),
      environment: {},
      files: { "tokens.txt": tokenLine },
    });
    using pipe = createNamedPipe();
    renameSync(pipe.path, join(loom.folder, "tokens.txt"));
    loom.signal("SIGHUP");
    await answers(loom);
    const [line] = await failedReloads(loom, 1);
    expect(line?.error).toBe("auth: cannot read token_file tokens.txt: no answer within 10 s");
    await answers(loom);
  });
});

test("a configuration from a pipe that is written is read", async () => {
  using pipe = createNamedPipe();
  const running = runToEnd({ args: ["-config", pipe.path] });
  await pipe.reader();
  pipe.write("[server]\ntls = true\n");
  expect((await running).stderr).toBe("config: server: tls enabled but cert_file or key_file missing\n");
});

const canMount = process.getuid?.() === 0 && Bun.which("mount") !== null && canOpen("/dev/fuse");

function canOpen(path: string): boolean {
  try {
    closeSync(openSync(path, "r+"));
    return true;
  } catch {
    return false;
  }
}

/** Mounts a file system whose server never answers, so that every call on it hangs, like on NFS without its server. */
function mountHung(folder: string): Disposable {
  const server = openSync("/dev/fuse", "r+");
  const options = "fd=3,rootmode=40000,user_id=0,group_id=0";
  const mount = Bun.spawnSync(["mount", "-i", "-t", "fuse", "-o", options, "none", folder], {
    stdio: ["ignore", "pipe", "pipe", server],
  });
  expect(mount.stderr.toString()).toBe("");
  return {
    [Symbol.dispose]() {
      // Closing the server's end fails every call that hangs.
      closeSync(server);
      Bun.spawnSync(["umount", "-l", folder]);
    },
  };
}

test.skipIf(!canMount)(
  `a mount that hangs leaves old tokens in use, blocks nothing else, and does not delay a stop${canMount ? "" : " (skipped: needs root, mount and /dev/fuse)"}`,
  async () => {
    await using loom = await startExecutable({
      config: `${withTokens("mnt/tokens.txt")}[output]\ntype = ["stdout", "clickhouse"]\nclickhouse_url = "http://127.0.0.1:9"\n[output.outbox]\ndir = "outbox"\n`,
      environment: {},
      files: { "mnt/tokens.txt": tokenLine },
    });
    using _hung = mountHung(join(loom.folder, "mnt"));
    loom.signal("SIGHUP");
    await failedReloads(loom, 1);
    // Neither must a second reload block a second thread of the pool, which the outbox needs.
    for (let reload = 2; reload <= 5; reload++) {
      loom.signal("SIGHUP");
      await failedReloads(loom, reload);
    }
    await answers(loom);
    expect(await send(loom.ingestUrl, '[{"kept":true}]')).toBe(204);
    loom.signal("SIGTERM");
    expect(await loom.exited).toBe(0);
  },
);
