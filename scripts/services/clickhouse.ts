import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installedProgram } from "./debian-package.ts";

/** A ClickHouse server with temporary data on free ports of 127.0.0.1. */
export interface ClickhouseServer {
  readonly url: string;
  /** An account with a password. The account `default` has none. */
  readonly user: string;
  readonly password: string;
  /** The pid of the running server. */
  readonly pid: number;
  /** The folder with its data, which `stop` removes. */
  readonly folder: string;
  /** Changes the account's password. Resolves when the running server has applied it. */
  setPassword(password: string): Promise<void>;
  /** Ends the server with SIGKILL, as a crash would. The data stay. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, with the same data on the same port. */
  start(): Promise<void>;
  /** Kills the server and removes its data. */
  stop(): Promise<void>;
}

const maxStartMs = 30_000;
const pollMs = 50;

/**
 * Starts Debian's clickhouse-server (18.16, the oldest version that Loom is tested with), and installs it if it is missing.
 * @throws Error that says which step failed
 */
export async function startClickhouse(): Promise<ClickhouseServer> {
  const executable = installedProgram("clickhouse-server");
  const folder = mkdtempSync(join(tmpdir(), "loom-clickhouse-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const user = "loom";
  const password = crypto.randomUUID();
  mkdirSync(join(folder, "tmp"));
  const writeUsers = (text: string) => writeFileSync(join(folder, "users.xml"), usersXml(user, text));
  writeUsers(password);
  writeFileSync(join(folder, "config.xml"), configXml(folder, port, await freePort()));

  let process: Bun.Subprocess | undefined;
  const kill = async () => {
    process?.kill("SIGKILL");
    await process?.exited;
  };
  const start = async () => {
    process = Bun.spawn([executable, "--config-file", join(folder, "config.xml")], {
      stdout: Bun.file(join(folder, "stdout")),
      stderr: Bun.file(join(folder, "stderr")),
    });
    // `services up` exits while the server continues to run.
    process.unref();
    await answers(url, process, folder);
  };
  const setPassword = async (text: string) => {
    writeUsers(text);
    // ClickHouse compares the file's time in whole seconds, so it would miss a second change in the same second.
    const response = await fetch(url, { method: "POST", body: "SYSTEM RELOAD CONFIG" });
    if (!response.ok) throw new Error(`ClickHouse did not reload its accounts: ${await response.text()}`);
  };
  const stop = async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    user,
    password,
    folder,
    get pid() {
      return process?.pid ?? 0;
    },
    setPassword,
    kill,
    start,
    stop,
  };
}

async function answers(url: string, server: Bun.Subprocess, folder: string): Promise<void> {
  const deadline = performance.now() + maxStartMs;
  while (performance.now() < deadline && server.exitCode === null) {
    const isUp = await fetch(`${url}/ping`, { signal: AbortSignal.timeout(1000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (isUp) return;
    await Bun.sleep(pollMs);
  }
  const said = await Bun.file(join(folder, "stderr")).text();
  server.kill("SIGKILL");
  throw new Error(
    `no ClickHouse: the server did not start in ${maxStartMs / 1000} s: ${said.trim().slice(-400)}`,
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

function configXml(folder: string, httpPort: number, tcpPort: number): string {
  return `<yandex>
  <logger><level>warning</level><log>${folder}/log</log><errorlog>${folder}/error-log</errorlog></logger>
  <listen_host>127.0.0.1</listen_host><http_port>${httpPort}</http_port><tcp_port>${tcpPort}</tcp_port>
  <path>${folder}/</path><tmp_path>${folder}/tmp/</tmp_path>
  <users_config>users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
  <mark_cache_size>5368709</mark_cache_size>
</yandex>
`;
}

function usersXml(user: string, password: string): string {
  const account = (name: string, secret: string) => `<${name}><password>${secret}</password>
      <networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></${name}>`;
  return `<yandex>
  <profiles><default/></profiles><quotas><default/></quotas>
  <users>${account("default", "")}${account(user, password)}</users>
</yandex>
`;
}
