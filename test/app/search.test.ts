import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { capturedRequests } from "../../server/cli/demo/captured-requests.ts";
import {
  maxTestMs,
  plainConfig,
  type RunningLoom,
  runExecutable,
  sensorToken,
  startExecutable,
} from "../support/executable.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const config = `${plainConfig}
[output]
type = "store"
store_dir = "store"
[output.outbox]
dir = "outbox"
`;

let loom: RunningLoom;
let sent: string[] = [];

beforeAll(async () => {
  loom = await startExecutable({ config });
  const bodies = (await capturedRequests()).map(({ body }) => body);
  for (const body of bodies) {
    const headers = { authorization: `Bearer ${sensorToken}`, "content-type": "application/json" };
    expect((await fetch(loom.ingestUrl, { method: "POST", headers, body })).status).toBe(204);
  }
  sent = bodies.flatMap((body) => JSON.parse(body).map((event: { event: { id: string } }) => event.event.id));
  await until("all events are stored", async () => (await search([])).lines.length === sent.length);
});
afterAll(() => loom[Symbol.asyncDispose]());

/** Runs `loom search` in the directory of the running Loom. */
async function search(args: readonly string[]) {
  const child = Bun.spawn([join(loom.folder, "loom"), "search", ...args], {
    cwd: loom.folder,
    env: {},
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { lines: out.split(/\r?\n/).slice(0, -1), err, status: await child.exited };
}

describe("loom search, beside the Loom that writes the store", () => {
  test("prints all events as lines in the order of their receipt", async () => {
    const { lines, status } = await search([]);
    expect(lines.map((line) => JSON.parse(line).event.id)).toEqual(sent);
    expect(status).toBe(0);
  });

  test("prints the events that match the query, which may be several words or begin with a minus sign", async () => {
    const ofPort = (lines: string[]) => lines.map((line) => JSON.parse(line).destination.port);
    const found = ofPort((await search(["port:443", "since:1h"])).lines);
    expect(found.length).toBeGreaterThan(0);
    expect(new Set(found)).toEqual(new Set([443]));
    const others = ofPort((await search(["-port:443", "-format", "ndjson"])).lines);
    expect(others).not.toContain(443);
    expect(found.length + others.length).toBe(sent.length);
  });

  test("finds a text in a payload, of which the event has only the hexadecimal form", async () => {
    const { lines } = await search(['"mstshash=Administr"', "-limit", "1"]);
    expect(lines).toHaveLength(1);
  });

  test("prints a table without control characters", async () => {
    const { lines, err } = await search(["-format", "table", "-columns", "ip,port,document", "-limit", "5"]);
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatch(/^IP +PORT +DOCUMENT$/);
    expect(lines.join("\n")).not.toMatch(/\p{Cc}(?<!\n)/u);
    expect(err).toContain("5 events");
  });

  test("prints CSV with chosen columns", async () => {
    const { lines } = await search(["port:23", "-format=csv", "-columns=port,sensor"]);
    expect(lines[0]).toBe("port,sensor");
    expect(new Set(lines.slice(1))).toEqual(new Set(["23,vps-frankfurt-01"]));
  });

  test.each([
    [["prot:22"], 'loom search: there is no field "prot"'],
    [["-format", "xml"], "table, ndjson, csv"],
    [["-format", "csv", "-columns", "nothing"], 'there is no column "nothing"'],
    [["-columns", "ip", "-format", "ndjson"], "-columns is for table and csv"],
    [["-limit", "0"], "-limit"],
  ])("refuses %p with status 2", async (args, message) => {
    const { err, status } = await search(args);
    expect(err).toContain(message);
    expect(status).toBe(2);
  });
});

test("without an output that can be searched, the error says so", async () => {
  await using process = runExecutable({ args: ["search", "port:22"], config: plainConfig });
  expect(await process.exited).toBe(1);
  expect(process.stderrText()).toContain('add "store"');
});
