import { existsSync, globSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.ts";
import { installedProgram, installPackages } from "./debian-package.ts";

/**
 * The programs that tests start: each with the variable that has its path, and a function that finds the path. The function
 * installs the program if it is missing, and throws if it cannot be installed.
 */
export const programs: readonly (readonly [name: string, variable: string, find: () => string])[] = [
  ["nginx", "LOOM_TEST_NGINX", () => installedProgram("nginx", "nginx-light")],
  ["HAProxy", "LOOM_TEST_HAPROXY", () => installedProgram("haproxy")],
  ["Caddy", "LOOM_TEST_CADDY", () => installedProgram("caddy")],
  ["curl", "LOOM_TEST_CURL", () => installedProgram("curl")],
  ["Go", "LOOM_TEST_GO", () => installedProgram("go", "golang-go")],
  ["Java", "LOOM_TEST_JAVA", () => installedProgram("java", "default-jdk-headless")],
  ["Node", "LOOM_TEST_NODE", () => installedProgram("node", "nodejs")],
  ["Python", "LOOM_TEST_PYTHON", () => installedProgram("python3")],
  ["OpenSSL", "LOOM_TEST_OPENSSL", () => installedProgram("openssl")],
  ["syslog-ng", "LOOM_TEST_SYSLOG_NG", findSyslogNg],
  ["OpenCanary", "LOOM_TEST_OPENCANARY", () => join(virtualEnvironment("opencanary", "0.9.10"), "twistd")],
  // A current ClickHouse engine. It needs its dependencies, which are larger, only for Python's tables.
  ["chdb", "LOOM_TEST_CHDB", () => join(virtualEnvironment("chdb-core", "26.9.0", "--no-deps"), "python")],
  ["Cowrie", "LOOM_TEST_COWRIE", () => join(virtualEnvironment("cowrie", "3.1.4"), "cowrie")],
];

/** Its module for HTTP is a package of its own. */
function findSyslogNg(): string {
  if (globSync("/usr/lib/syslog-ng/*/libhttp.so").length === 0)
    installPackages("syslog-ng-core", "syslog-ng-mod-http");
  return installedProgram("syslog-ng", "syslog-ng-core");
}

/** @returns the folder of the programs in a virtual environment with this package of PyPI, which is made only once */
function virtualEnvironment(name: string, version: string, ...pipOptions: string[]): string {
  const cache = join(import.meta.dir, "../../node_modules/.cache");
  const folder = join(cache, `${name}-${version}`);
  const complete = join(folder, "complete");
  if (!existsSync(complete)) {
    const python = installedProgram("python3");
    if (!Bun.spawnSync([python, "-c", "import ensurepip"]).success) installPackages("python3-venv");
    // Scripts in the environment contain its path, so that it cannot be made elsewhere and moved.
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(cache, { recursive: true });
    run([python, "-m", "venv", folder]);
    const pip = join(folder, "bin/pip");
    run([pip, "install", "--quiet", "--disable-pip-version-check", ...pipOptions, `${name}==${version}`]);
    mkdirSync(complete);
  }
  return join(folder, "bin");
}
