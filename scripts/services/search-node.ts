import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./command.ts";
import { installPackages } from "./debian-package.ts";

export interface SearchNode {
  readonly url: string;
  /** Ends the node with SIGKILL, as a crash would. The data stay. */
  crash(): Promise<void>;
  /** Starts the node again after `crash`, at the same address with the same data. */
  restart(): Promise<void>;
  /** Ends the node and removes its data. */
  stop(): Promise<void>;
}

/** A server of this family, with the runner that starts a node of it from jars of Maven Central. */
export interface SearchServer {
  readonly name: string;
  /** `group:artifact` of the runner, whose dependencies are the server. */
  readonly artifact: string;
  readonly version: string;
  readonly mainClass: string;
  /** The name of the configuration file. */
  readonly configName: string;
}

/** A runner uses the first free port after the base port that it is given, up to this one. */
const lastPort = 9299;
const portCount = 90;
const maxStartMs = 90_000;
const pollIntervalMs = 200;

/**
 * Starts one node, without security, on a free port of 127.0.0.1 with temporary data, and waits until it is usable. Installs Java and Maven from Debian's packages and the node from Maven Central if they are missing.
 * @throws Error that says what could not be installed, or why the node ended
 */
export async function startSearchNode(server: SearchServer): Promise<SearchNode> {
  installJava();
  const jarFolder = fetchJars(server);
  const folder = mkdtempSync(join(tmpdir(), "loom-search-node-"));
  const clusterName = `loom-${randomBytes(6).toString("hex")}`;
  const confFolder = join(folder, "conf");
  mkdirSync(confFolder);
  writeFileSync(
    join(confFolder, server.configName),
    [
      "network.host: 127.0.0.1",
      'transport.port: "0"',
      "discovery.type: single-node",
      // a bulk request names its index only in the path, as hosted clusters demand
      "rest.action.multi.allow_explicit_index: false",
      // the tests have to pass on a machine whose disk is nearly full
      "cluster.routing.allocation.disk.threshold_enabled: false",
    ].join("\n"),
  );
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  let child = await launch();

  async function launch() {
    const logPath = join(folder, "log");
    const started = Bun.spawn({
      cmd: [
        "java",
        "-Xms512m",
        "-Xmx512m",
        "-XX:+UseSerialGC",
        // halves the time that the start takes
        "-XX:TieredStopAtLevel=1",
        "-cp",
        join(jarFolder, "*"),
        server.mainClass,
        ...["-basePath", folder, "-confPath", confFolder, "-clusterName", clusterName],
        ...["-numOfNode", "1", "-baseHttpPort", String(port - 1), "-printOnFailure"],
      ],
      stdin: "ignore",
      stdout: Bun.file(logPath),
      stderr: Bun.file(logPath),
    });
    const deadline = performance.now() + maxStartMs;
    while (!(await isUsable(url, clusterName))) {
      if (started.exitCode === null && started.signalCode === null && performance.now() < deadline) {
        await Bun.sleep(pollIntervalMs);
        continue;
      }
      started.kill("SIGKILL");
      await started.exited;
      throw new Error(
        `${server.name} did not start on port ${port}:\n${readFileSync(logPath, "utf8").slice(-2000)}`,
      );
    }
    return started;
  }

  async function crash(): Promise<void> {
    child.kill("SIGKILL");
    await child.exited;
  }

  return {
    url,
    crash,
    async restart() {
      child = await launch();
    },
    async stop() {
      await crash();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** True if this node answers, not another one on the same port, and every index has its primary shards. */
async function isUsable(url: string, clusterName: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/_cluster/health?wait_for_status=yellow&timeout=1s`, {
      signal: AbortSignal.timeout(5_000),
    });
    const health = (await response.json()) as { cluster_name?: string };
    return response.status === 200 && health.cluster_name === clusterName;
  } catch {
    // not listening yet
    return false;
  }
}

function installJava(): void {
  const missing = [
    ...(Bun.which("java") === null ? ["default-jdk-headless"] : []),
    ...(Bun.which("mvn") === null ? ["maven"] : []),
  ];
  if (missing.length > 0) installPackages(...missing);
}

/** @returns the folder with the node's jars, about 50 MB, which are downloaded only once */
function fetchJars({ artifact, version }: SearchServer): string {
  const [groupId, artifactId] = artifact.split(":");
  const cache = join(import.meta.dir, "../../node_modules/.cache");
  const folder = join(cache, `${artifactId}-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(join(cache, `${artifactId}-`));
  try {
    const pom = join(unfinished, "pom.xml");
    writeFileSync(
      pom,
      `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>loom</groupId><artifactId>search-node</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version>
  </dependency></dependencies>
</project>`,
    );
    const jars = join(unfinished, "jars");
    const goal = "dependency:copy-dependencies";
    run(["mvn", "-B", "-q", "-f", pom, goal, "-DincludeScope=runtime", `-DoutputDirectory=${jars}`]);
    renameSync(jars, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** Begins with a random port, so that two runs at the same time rarely try the same one. */
async function findFreePort(): Promise<number> {
  const offset = Math.floor(Math.random() * portCount);
  for (let tried = 0; tried < portCount; tried++) {
    const port = lastPort - ((offset + tried) % portCount);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${lastPort - portCount + 1} to ${lastPort} on 127.0.0.1`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
