import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { documentedCode, withReplaced } from "./documented.ts";
import { sensorToken } from "./executable.ts";
import { type Program, startProgram } from "./program.ts";
import type { CertificateFiles } from "./shipper-loom.ts";

export interface SyslogNgOptions {
  /** The path of syslog-ng. */
  readonly path: string;
  /** The file of JSON lines that it sends. */
  readonly file: string;
  /** The URL of ingest. */
  readonly url: string;
  /** undefined: the URL is one of plain HTTP. */
  readonly certificate?: CertificateFiles;
  /** Where it remembers what it has sent, for a second start; undefined: a folder of its own. */
  readonly stateFolder?: string;
  /** Further changes of the documented configuration. */
  readonly replacements?: Readonly<Record<string, string>>;
}

/** Starts syslog-ng with the configuration in docs/shippers.md. */
export function startSyslogNg(options: SyslogNgOptions): Program {
  const documented = documentedCode("docs/shippers.md", "## Cowrie, dionaea and other log files", "conf");
  const configuration = withReplaced(documented, {
    "https://loom.example.com:8443/api/v1/ingest": options.url,
    'tls(ca-file("/etc/syslog-ng/loom.crt"))': options.certificate
      ? `tls(ca-file("${options.certificate.certPath}"))`
      : "",
    "the token of this sensor": sensorToken,
    "/home/cowrie/cowrie/var/log/cowrie/cowrie.json": options.file,
    // The tests wait for the second attempt.
    "time-reopen(5)": "time-reopen(1)",
    ...options.replacements,
  });
  const folder = mkdtempSync(join(tmpdir(), "loom-syslog-ng-"));
  const state = options.stateFolder ?? folder;
  mkdirSync(state, { recursive: true });
  const configPath = join(folder, "syslog-ng.conf");
  writeFileSync(configPath, `@version: current\n${configuration}`);
  const files = ["-f", configPath, "-R", join(state, "persist"), "-p", join(folder, "pid")];
  const program = startProgram([options.path, "-F", "-e", ...files, "-c", join(folder, "control")]);
  return {
    ...program,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}
