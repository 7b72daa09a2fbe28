import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { maxTestMs } from "../support/executable.ts";
import { freePort } from "../support/free-port.ts";
import { makeReadmeCertificate, type ShipperLoom, startLoomForShippers } from "../support/shipper-loom.ts";
import { startSyslogNg } from "../support/syslog-ng.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const { LOOM_TEST_OPENSSL, LOOM_TEST_SYSLOG_NG } = process.env;
const maxSendMs = 30_000;

/** Lines of the shape that each honeypot writes; Cowrie and OpenCanary run in their own tests. */
const dionaeaLine = JSON.stringify({
  connection: { protocol: "smbd", transport: "tcp", type: "accept" },
  dst_ip: "198.51.100.7",
  dst_port: 445,
  src_hostname: "",
  src_ip: "81.2.69.142",
  src_port: 51_213,
  timestamp: "2026-11-25T09:35:10.774554",
});
const cowrieLine = '{"eventid":"cowrie.login.failed","src_ip":"8.8.8.8","n":18446744073709551615}';
const canaryLine =
  '{"dst_host": "198.51.100.7", "logtype": 3000, "src_host": "81.2.69.142", "src_port": 50800}';

if (LOOM_TEST_SYSLOG_NG === undefined || LOOM_TEST_OPENSSL === undefined)
  test.skip("skipped: no syslog-ng, or no OpenSSL", () => {});
else describe("syslog-ng with the documented configuration", () => testsWith(LOOM_TEST_SYSLOG_NG));

function testsWith(path: string): void {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "loom-syslog-ng-test-"));
    file = join(folder, "events.json");
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  test("sends the lines of a file over TLS, and they are enriched", async () => {
    const certificate = await makeReadmeCertificate(folder);
    await using loom = await startLoomForShippers({ certificate });
    writeFileSync(file, `${dionaeaLine}\n${cowrieLine}\n${canaryLine}\n`);
    await using _shipper = startSyslogNg({ path, file, url: loom.url, certificate });
    await kept(loom, 3);
    expect(loom.events().map(({ source }) => [source?.ip, source?.as?.number])).toEqual([
      ["81.2.69.142", 20712],
      ["8.8.8.8", 15169],
      ["81.2.69.142", 20712],
    ]);
    expect(loom.stdoutBytes().toString()).toContain(cowrieLine.slice(0, -1));
  });

  test("sends them as an array", async () => {
    await using loom = await startLoomForShippers();
    writeFileSync(file, `${dionaeaLine}\n${cowrieLine}\n`);
    const replacements = {
      "application/x-ndjson": "application/json",
      'delimiter("\\n")': 'body-prefix("[") delimiter(",") body-suffix("]")',
    };
    await using _shipper = startSyslogNg({ path, file, url: loom.url, replacements });
    await kept(loom, 2);
    expect(loom.events().map(({ source }) => source?.geo?.country_iso_code)).toEqual(["GB", "US"]);
  });

  test("skips lines that Loom would refuse, and sends the others", async () => {
    await using loom = await startLoomForShippers();
    const long = `{"payload":"${"x".repeat(131_072)}"}`;
    const bad = ['{"eventid":"cut', "[1]", '"text"', "", "7", long];
    writeFileSync(file, `{"n":1}\n${bad.join("\n")}\n{"n":2}\n`);
    await using _shipper = startSyslogNg({ path, file, url: loom.url });
    await kept(loom, 2);
    expect(loom.stdoutBytes().toString()).toBe('{"n":1}\n{"n":2}\n');
    expect(loom.stderrText()).not.toContain("request refused");
  });

  test("sends thousands of lines in batches of up to 500, each line once and in order", async () => {
    await using loom = await startLoomForShippers();
    const lines = Array.from({ length: 2300 }, (_, n) => `{"n":${n}}\n`).join("");
    writeFileSync(file, lines);
    await using _shipper = startSyslogNg({ path, file, url: loom.url });
    await kept(loom, 2300);
    expect(loom.stdoutBytes().toString()).toBe(lines);
    const metrics = await fetch(`${loom.managementUrl}/metrics`).then((answer) => answer.text());
    const [, batchCount] = /^loom_ingest_requests_total\{.*status="204"\} (\d+)$/m.exec(metrics) ?? [];
    // Five if all are full. With syslog-ng's default window of 100 events, 23 or more.
    expect(Number(batchCount)).toBeLessThan(12);
  });

  test("sends what was written while Loom was not running", async () => {
    writeFileSync(file, '{"n":1}\n');
    const port = freePort();
    const url = `http://localhost:${port}/api/v1/ingest`;
    await using shipper = startSyslogNg({ path, file, url });
    await until(
      "an attempt failed",
      () => shipper.output().includes("error sending HTTP request"),
      maxSendMs,
    );
    await using loom = await startLoomForShippers({ port });
    appendFileSync(file, '{"n":2}\n');
    await kept(loom, 2);
    expect(loom.stdoutBytes().toString()).toBe('{"n":1}\n{"n":2}\n');
  });

  test("sends nothing twice after a restart", async () => {
    await using loom = await startLoomForShippers();
    const options = { path, file, url: loom.url, stateFolder: join(folder, "state") };
    writeFileSync(file, '{"n":1}\n');
    {
      await using shipper = startSyslogNg(options);
      await kept(loom, 1);
      await shipper.stop();
    }
    appendFileSync(file, '{"n":2}\n');
    await using _again = startSyslogNg(options);
    await kept(loom, 2);
    expect(loom.stdoutBytes().toString()).toBe('{"n":1}\n{"n":2}\n');
  });
}

async function kept(loom: ShipperLoom, count: number): Promise<void> {
  await until(`Loom has ${count} events`, () => loom.events().length >= count, maxSendMs);
}
