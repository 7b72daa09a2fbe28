import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { maxTestMs, sensorToken } from "../support/executable.ts";
import { runProgram } from "../support/program.ts";
import { senders } from "../support/request-senders.ts";
import {
  type CertificateFiles,
  makeReadmeCertificate,
  startLoomForShippers,
} from "../support/shipper-loom.ts";

/* What the HTTP clients of several languages do beyond a plain request: Expect, chunks, HTTP/2, charsets, large bodies. */

setDefaultTimeout(maxTestMs);

const {
  LOOM_TEST_CURL,
  LOOM_TEST_GO,
  LOOM_TEST_JAVA,
  LOOM_TEST_NODE,
  LOOM_TEST_OPENSSL = "",
  LOOM_TEST_PYTHON,
} = process.env;

const languages = [
  ["Python", LOOM_TEST_PYTHON, [], senders.python],
  ["Node", LOOM_TEST_NODE, [], senders.node],
  ["Go", LOOM_TEST_GO, ["run"], senders.go],
  [
    "Java",
    LOOM_TEST_JAVA,
    ["-Djavax.net.ssl.trustStore=loom.p12", "-Djavax.net.ssl.trustStorePassword=changeit"],
    senders.java,
  ],
  ["curl", LOOM_TEST_CURL && "/bin/sh", [], senders.curl],
] as const;

const eventCount = 400;
let folder: string;
let certificate: CertificateFiles;

beforeAll(async () => {
  if (LOOM_TEST_OPENSSL === "") return;
  folder = mkdtempSync(join(tmpdir(), "loom-requests-"));
  certificate = await makeReadmeCertificate(folder);
  // 1.6 MB, more than the MB from which on curl expects 100 Continue.
  const event = JSON.stringify({ src_ip: "81.2.69.142", payload: "x".repeat(4000) });
  writeFileSync(join(folder, "batch.json"), `[${Array(eventCount).fill(event).join(",")}]`);
  if (LOOM_TEST_JAVA !== undefined) {
    const store = "-alias loom -file tls.crt -keystore loom.p12 -storepass changeit";
    await runProgram(["keytool", "-importcert", "-noprompt", ...store.split(" ")], { cwd: folder });
  }
});

afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

for (const [language, path, args, sendersOfLanguage] of languages)
  if (path === undefined || LOOM_TEST_OPENSSL === "")
    test.skip(`skipped: no ${language}, or no OpenSSL`, () => {});
  else
    describe.each(["TCP", "TLS"])(`over %s`, (transport) => {
      for (const { title, fileName, program } of sendersOfLanguage)
        test(`${title}, and the batch is kept and enriched`, async () => {
          await using loom = await startLoomForShippers(transport === "TLS" ? { certificate } : {});
          writeFileSync(join(folder, fileName), program);
          await runProgram([path, ...args, fileName], {
            cwd: folder,
            environment: {
              LOOM_URL: loom.url,
              LOOM_TOKEN: sensorToken,
              SSL_CERT_FILE: certificate.certPath,
              NODE_EXTRA_CA_CERTS: certificate.certPath,
            },
          });
          const countries = loom.events().map(({ source }) => source?.geo?.country_iso_code);
          expect(countries).toEqual(Array(eventCount).fill("GB"));
        });
    });
