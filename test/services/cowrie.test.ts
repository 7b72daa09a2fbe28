import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { maxTestMs } from "../support/executable.ts";
import { freePort } from "../support/free-port.ts";
import { type Program, runProgram, startProgram } from "../support/program.ts";
import { startLoomForShippers } from "../support/shipper-loom.ts";
import { startSyslogNg } from "../support/syslog-ng.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const { LOOM_TEST_COWRIE, LOOM_TEST_SYSLOG_NG } = process.env;
const maxStartMs = 30_000;
const attacker = "81.2.69.142";

if (LOOM_TEST_COWRIE === undefined || LOOM_TEST_SYSLOG_NG === undefined)
  test.skip("skipped: no Cowrie, or no syslog-ng", () => {});
else describe("Cowrie's log", () => testsWith(LOOM_TEST_COWRIE, LOOM_TEST_SYSLOG_NG));

function testsWith(cowrie: string, syslogNg: string): void {
  test("is sent by syslog-ng, and each event of a Telnet session is enriched once", async () => {
    const folder = mkdtempSync(join(tmpdir(), "loom-cowrie-"));
    try {
      const port = freePort();
      await using honeypot = await startCowrie(cowrie, folder, port);
      await using loom = await startLoomForShippers();
      const file = join(folder, "var/log/cowrie/cowrie.json");
      await until("Cowrie listens", () => honeypot.output().includes("Ready to accept Telnet"), maxStartMs);
      await using _shipper = startSyslogNg({ path: syslogNg, file, url: loom.url });
      await logIn(port);
      const events = await until(
        "the end of the session arrives",
        () => {
          const kept = loom.events();
          return kept.some(({ eventid }) => eventid === "cowrie.session.closed") && kept;
        },
        maxStartMs,
      );
      const ids = events.map(({ eventid }) => eventid);
      expect(ids.filter((id) => id === "cowrie.login.success" || id === "cowrie.session.connect")).toEqual([
        "cowrie.session.connect",
        "cowrie.login.success",
      ]);
      expect(events.filter(({ input }) => input === "uname -a")).toHaveLength(1);
      for (const { src_ip, source } of events) {
        expect(src_ip).toBe(attacker);
        expect(source).toMatchObject({
          ip: attacker,
          as: { number: 20712 },
          geo: { country_iso_code: "GB" },
        });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

/** Starts Cowrie with Telnet behind the PROXY protocol, so that a test can say from where it attacks. */
async function startCowrie(path: string, folder: string, port: number): Promise<Program> {
  for (const name of ["etc", "var/log/cowrie", "var/lib/cowrie/downloads", "var/lib/cowrie/tty", "var/run"])
    mkdirSync(join(folder, name), { recursive: true });
  const endpoint = `haproxy:tcp:${port}:interface=127.0.0.1`;
  writeFileSync(
    join(folder, "etc/cowrie.cfg"),
    `[ssh]\nenabled = false\n[telnet]\nenabled = true\nlisten_endpoints = ${endpoint}\n`,
  );
  return startProgram([...(await asOtherUser(folder)), path, "start"], {
    cwd: folder,
    environment: {
      COWRIE_STDOUT: "yes",
      HOME: folder,
      PATH: `${dirname(path)}:${process.env.PATH}`,
    },
  });
}

/** Cowrie does not run as root. Another user still has to read the folders of its program, which may be root's. */
async function asOtherUser(folder: string): Promise<readonly string[]> {
  if (process.getuid?.() !== 0) return [];
  await runProgram(["chown", "-R", "nobody", folder]);
  const capabilities = "+dac_override,+dac_read_search";
  return [
    ...["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"],
    ...[`--inh-caps=${capabilities}`, `--ambient-caps=${capabilities}`],
  ];
}

/** Logs in over Telnet, runs a command, and leaves. */
async function logIn(port: number): Promise<void> {
  const dialogue = [
    ["login: ", "root"],
    ["Password: ", "xc3511"],
    ["# ", "uname -a"],
    ["# ", "exit"],
  ];
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.on("data", (data) => {
    received += data.toString("latin1");
  });
  socket.write(`PROXY TCP4 ${attacker} 127.0.0.1 50123 ${port}\r\n`);
  for (const [prompt = "", answer] of dialogue) {
    await until(`the prompt "${prompt}"`, () => received.includes(prompt));
    received = "";
    socket.write(`${answer}\r\n`);
  }
  await until("Cowrie ends the session", () => socket.closed || socket.readableEnded);
  socket.destroy();
}
