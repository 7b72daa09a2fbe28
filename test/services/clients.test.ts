import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSource } from "../structure/source-files.ts";
import { startCountingProxy } from "../support/counting-proxy.ts";
import { documentedCode, withReplaced } from "../support/documented.ts";
import { maxTestMs, sensorToken } from "../support/executable.ts";
import { runProgram } from "../support/program.ts";
import {
  type CertificateFiles,
  makeReadmeCertificate,
  type ShipperLoom,
  startLoomForShippers,
} from "../support/shipper-loom.ts";

/* Runs the programs in docs/shippers.md as they are. */

setDefaultTimeout(maxTestMs);

const page = "docs/shippers.md";
const { LOOM_TEST_GO, LOOM_TEST_JAVA, LOOM_TEST_NODE, LOOM_TEST_OPENSSL, LOOM_TEST_PYTHON } = process.env;

interface Client {
  readonly name: string;
  /** The path of its compiler or interpreter. */
  readonly path: string | undefined;
  readonly language: string;
  readonly fileName: string;
  /** The command, for a certificate in `loom.crt` and a key store in `loom.p12` of the working directory. */
  readonly command: (path: string, isTls: boolean) => readonly string[];
  /** How many connections two batches may take; default: 1. */
  readonly maxConnections?: number;
  /** The environment variable with the file of the certificate. */
  readonly certificateVariable?: string;
}

const clients: readonly Client[] = [
  {
    name: "Python",
    path: LOOM_TEST_PYTHON,
    language: "python",
    fileName: "send.py",
    command: (path) => [path, "send.py"],
    certificateVariable: "SSL_CERT_FILE",
  },
  {
    name: "Node",
    path: LOOM_TEST_NODE,
    language: "js",
    fileName: "send.mjs",
    command: (path) => [path, "send.mjs"],
    certificateVariable: "NODE_EXTRA_CA_CERTS",
    // After a 204, which has no body, fetch uses a connection again only in a later turn of the event loop.
    maxConnections: 2,
  },
  {
    name: "Go",
    path: LOOM_TEST_GO,
    language: "go",
    fileName: "send.go",
    command: (path) => [path, "run", "send.go"],
    certificateVariable: "SSL_CERT_FILE",
  },
  {
    name: "Java",
    path: LOOM_TEST_JAVA,
    language: "java",
    fileName: "SendEvents.java",
    command: (path, isTls) => [path, ...(isTls ? javaOptions() : []), "SendEvents.java"],
  },
];

let folder: string;
let certificate: CertificateFiles;

beforeAll(async () => {
  if (LOOM_TEST_OPENSSL === undefined) return;
  folder = mkdtempSync(join(tmpdir(), "loom-clients-"));
  certificate = await makeReadmeCertificate(folder);
});

afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

/** The last column of the page's table of certificates, of the line for Java. */
function javaCommands(): string[] {
  const [, line = ""] = /^\| Java \| (.*keytool.*) \|$/m.exec(readSource(page)) ?? [];
  return [...line.matchAll(/`([^`]+)`/g)].map(([, command = ""]) => command);
}

function javaOptions(): string[] {
  return javaCommands()[1]?.split(" ").slice(1) ?? [];
}

/** Runs the program of the page with Loom behind a proxy. @returns how many connections it opened */
async function sendWith(client: Client, path: string, loom: ShipperLoom): Promise<number> {
  using proxy = await startCountingProxy(loom.ingestPort);
  writeFileSync(join(folder, client.fileName), documentedCode(page, `### ${client.name}`, client.language));
  const isTls = loom.url.startsWith("https:");
  await runProgram(client.command(path, isTls), {
    cwd: folder,
    environment: {
      LOOM_URL: withReplaced(loom.url, { [`:${loom.ingestPort}/`]: `:${proxy.port}/` }),
      LOOM_TOKEN: sensorToken,
      ...(isTls && client.certificateVariable ? { [client.certificateVariable]: certificate.certPath } : {}),
    },
  });
  return proxy.connectionCount;
}

const enriched = [
  [20712, "GB"],
  [15169, "US"],
];

for (const client of clients) {
  const { name, path } = client;
  if (path === undefined || LOOM_TEST_OPENSSL === undefined)
    test.skip(`skipped: no ${name}, or no OpenSSL`, () => {});
  else
    describe(`the documented program in ${name}`, () => {
      for (const isTls of [false, true])
        test(`sends an array and lines over ${isTls ? "TLS" : "TCP"}, keeps its connection, and all events are enriched`, async () => {
          await using loom = await startLoomForShippers(isTls ? { certificate } : {});
          if (isTls && name === "Java")
            await runProgram(["sh", "-c", withReplaced(javaCommands()[0] ?? "", { "loom.crt": "tls.crt" })], {
              cwd: folder,
            });
          expect(await sendWith(client, path, loom)).toBeLessThanOrEqual(client.maxConnections ?? 1);
          const found = loom
            .events()
            .map(({ source }) => [source?.as?.number, source?.geo?.country_iso_code]);
          expect(found).toEqual([...enriched, ...enriched]);
        });
    });
}
