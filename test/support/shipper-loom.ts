import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readSource } from "../structure/source-files.ts";
import { withReplaced } from "./documented.ts";
import { plainConfig, type RunningLoom, startExecutable } from "./executable.ts";
import { runProgram } from "./program.ts";

/** A Loom that programs of others send events to. */
export interface ShipperLoom extends RunningLoom {
  /** The URL of ingest, under the name in the certificate if it has one. */
  readonly url: string;
  /** The events on stdout: every complete line, parsed. */
  events(): readonly ShippedEvent[];
}

export interface ShippedEvent {
  readonly [field: string]: unknown;
  readonly source?: {
    readonly ip: string;
    readonly as?: { readonly number: number };
    readonly geo?: { readonly country_iso_code: string };
  };
}

/** A certificate for `localhost` in files, as the README makes it. */
export interface CertificateFiles {
  readonly certPath: string;
  readonly keyPath: string;
}

export interface ShipperLoomOptions {
  /** undefined: plain HTTP. */
  readonly certificate?: CertificateFiles;
  /** MaxMind DB files with places, by name, which are used instead of the built-in one. */
  readonly places?: Readonly<Record<string, Uint8Array>>;
  /** Default: any free port. */
  readonly port?: number;
}

/** Starts Loom with stdout as its output and the built-in databases. */
export async function startLoomForShippers(options: ShipperLoomOptions = {}): Promise<ShipperLoom> {
  const { certificate, places = {}, port = 0 } = options;
  const files: Record<string, string | Uint8Array> = { ...places };
  if (certificate !== undefined) {
    files["tls.crt"] = readFileSync(certificate.certPath);
    files["tls.key"] = readFileSync(certificate.keyPath);
  }
  const tls = certificate ? 'cert_file = "tls.crt"\nkey_file = "tls.key"' : "tls = false";
  const placePaths = JSON.stringify(Object.keys(places));
  const enrichment = options.places ? `[enrichment]\ngeoip_db_path = ${placePaths}\n` : "";
  const listen = `\nlisten_address = "127.0.0.1:${port}"`;
  const server = withReplaced(plainConfig, {
    "tls = false": tls,
    '\nlisten_address = "127.0.0.1:0"': listen,
  });
  const loom = await startExecutable({ config: server + enrichment, files });
  return {
    ...loom,
    url: `${certificate ? "https" : "http"}://localhost:${loom.ingestPort}/api/v1/ingest`,
    events() {
      const lines = loom.stdoutBytes().toString().split("\n").slice(0, -1);
      return lines.map((line) => JSON.parse(line));
    },
  };
}

/** Makes a certificate with the command of the README. */
export async function makeReadmeCertificate(folder: string): Promise<CertificateFiles> {
  const command = /^openssl req .*$/m.exec(readSource("README.md"))?.[0] ?? "";
  const inFolder = withReplaced(command, { "$(hostname -f)": "localhost", "/etc/loom": folder });
  await runProgram(["sh", "-c", inFolder]);
  return { certPath: join(folder, "tls.crt"), keyPath: join(folder, "tls.key") };
}
