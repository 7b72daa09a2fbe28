import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { writeDatabase } from "../../scripts/mmdb/writer.ts";
import { documentedCode, withReplaced } from "../support/documented.ts";
import { maxTestMs, sensorToken } from "../support/executable.ts";
import { freePort } from "../support/free-port.ts";
import { type Program, startProgram } from "../support/program.ts";
import {
  type CertificateFiles,
  makeReadmeCertificate,
  type ShippedEvent,
  type ShipperLoom,
  startLoomForShippers,
} from "../support/shipper-loom.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const { LOOM_TEST_OPENCANARY, LOOM_TEST_OPENSSL } = process.env;
const maxStartMs = 30_000;
/** `logtype` of a request for a page of the HTTP module. */
const logHttpGet = 3000;

/** The tests attack from the loopback address, which only a database of an operator's own networks knows. */
const places = {
  "loopback.mmdb": writeDatabase({
    type: "Loopback-Country",
    ipVersion: 4,
    recordSize: 24,
    buildEpoch: 1_767_225_600,
    languages: ["en"],
    description: "127.0.0.0/8",
    networks: [["127.0.0.0/8", { country: { iso_code: "NL", names: { en: "Netherlands" } } }]],
  }),
};

if (LOOM_TEST_OPENCANARY === undefined || LOOM_TEST_OPENSSL === undefined)
  test.skip("skipped: no OpenCanary, or no OpenSSL", () => {});
else describe("OpenCanary with the documented webhook", () => testsWith(LOOM_TEST_OPENCANARY));

function testsWith(twistd: string): void {
  let folder: string;
  let certificate: CertificateFiles;
  let loom: ShipperLoom;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "loom-opencanary-"));
    certificate = await makeReadmeCertificate(folder);
    loom = await startLoomForShippers({ certificate, places });
  });

  afterEach(async () => {
    await loom[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** Starts OpenCanary with its HTTP module, and asks it for a page. */
  async function attack(changes: Readonly<Record<string, string>> = {}): Promise<Program> {
    const port = freePort();
    const logger = withReplaced(documentedCode("docs/shippers.md", "## OpenCanary", "json"), {
      "https://loom.example.com:8443/api/v1/ingest": loom.url,
      "/etc/opencanaryd/loom.crt": certificate.certPath,
      "the token of this sensor": sensorToken,
      ...changes,
    });
    const http = `"http.enabled": true, "http.port": ${port}, "http.skin": "nasLogin"`;
    const settings = `{"device.node_id": "canary-1", "device.listen_addr": "127.0.0.1", ${http}, ${logger}}`;
    writeFileSync(join(folder, "opencanary.conf"), settings);
    const service = join(dirname(twistd), "opencanary.tac");
    const canary = startProgram([twistd, "-noy", service, "--pidfile", join(folder, "pid")], {
      cwd: folder,
      // It looks for its configuration here before it looks in the working directory.
      environment: { HOME: folder },
    });
    const url = `http://127.0.0.1:${port}/index.html?id='%20OR%201=1`;
    const headers = { "user-agent": 'sqlmap "%(message)s" %s' };
    await until(
      "OpenCanary answers",
      () =>
        fetch(url, { headers }).then(
          ({ ok }) => ok,
          () => false,
        ),
      maxStartMs,
    );
    return canary;
  }

  function attacks(): readonly ShippedEvent[] {
    return loom.events().filter(({ logtype }) => logtype === logHttpGet);
  }

  test("sends an attack over TLS as one event, which is enriched", async () => {
    await using canary = await attack();
    const [event] = await until("the attack arrives", () => attacks().length > 0 && attacks());
    expect(event?.logdata).toMatchObject({ USERAGENT: 'sqlmap "%(message)s" %s', SKIN: "nasLogin" });
    expect(event).toMatchObject({ src_host: "127.0.0.1", node_id: "canary-1" });
    expect(event?.source).toMatchObject({ ip: "127.0.0.1", geo: { country_iso_code: "NL" } });
    expect(attacks()).toHaveLength(1);
    expect(canary.output()).not.toContain("Error");
  });

  test("is refused with application/json, for which it encodes the event twice", async () => {
    await using canary = await attack({ "application/x-ndjson": "application/json" });
    await loom.logged("request refused", { reason: "invalid_request" });
    expect(loom.events()).toEqual([]);
    expect(canary.output()).toContain("Error 400 sending Requests payload");
  });

  test('sends the event as a text, which is not enriched, if "data" is not set', async () => {
    const changes = { "application/x-ndjson": "application/json", '"data": "%(message)s",': "" };
    await using _canary = await attack(changes);
    const event = await until("the attack arrives", () =>
      loom.events().find(({ message }) => String(message).includes(`"logtype": ${logHttpGet}`)),
    );
    expect(Object.keys(event)).toEqual(["message"]);
  });
}
