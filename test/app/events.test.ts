import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { inventedDatabases } from "../mmdb/invented-databases.ts";
import { maxTestMs, plainConfig, type RunningLoom, startExecutable } from "../support/executable.ts";
import { capturedRequests } from "../support/fixtures.ts";
import { openConnection } from "../support/raw-connection.ts";
import { requestHead, send } from "../support/send.ts";

setDefaultTimeout(maxTestMs);

const withDatabases = {
  config: `${plainConfig}
[enrichment]
geoip_db_path = "city.mmdb"
asn_db_path = "asn.mmdb"
`,
  files: inventedDatabases,
};

test("a batch sent to a host name of one letter is kept, also if it arrives in pieces", async () => {
  await using loom = await startExecutable();
  using connection = await openConnection(loom.ingestPort);
  const body = '[{"sent":"to a"}]';
  connection.send(requestHead({ host: "a", "content-length": body.length }) + body.slice(0, 5));
  connection.send(body.slice(5));
  expect(await connection.statuses(1)).toEqual([204]);
  connection.send(requestHead({ host: "a", "content-length": 2 }, "wrong"));
  expect(await connection.statuses(2)).toEqual([204, 401]);
  expect(loom.stdoutBytes().toString()).toBe('{"sent":"to a"}\n');
});

describe("the captured requests", () => {
  test("are written byte for byte and in order, apart from what enrichment inserts", async () => {
    await using loom = await startExecutable(withDatabases);
    const sent = await sendCaptured(loom);
    const lines = linesOf(loom);
    expect(lines.map((line, i) => withoutInsertion(line, sent[i] ?? "").event)).toEqual(sent);
  });

  test("get only their autonomous system and location, after the other members of source", async () => {
    await using loom = await startExecutable(withDatabases);
    const sent = await sendCaptured(loom);
    const insertions = linesOf(loom).map((line, i) => withoutInsertion(line, sent[i] ?? "").inserted);
    const enriched = insertions.filter((inserted) => inserted !== "");
    const keys = enriched.map((inserted) => Object.keys(JSON.parse(`{${inserted.slice(1)}}`)));
    expect(keys).toEqual(enriched.map(() => ["as", "geo"]));
    // All events except the one from 10.20.30.40 have a public source address that is in the databases.
    expect(enriched.length).toBe(sent.length - 1);
  });

  test("are written unchanged without a database", async () => {
    const config = `${plainConfig}[enrichment]\nbuiltin_databases = false\n`;
    await using loom = await startExecutable({ config });
    const sent = await sendCaptured(loom);
    expect(loom.stdoutBytes().toString()).toBe(sent.map((event) => `${event}\n`).join(""));
  });
});

test("without a database in the configuration, the built-in ones give country and network", async () => {
  await using loom = await startExecutable();
  await send(loom.ingestUrl, '[{"source":{"ip":"8.8.8.8"}},{"source":{"ip":"10.1.2.3"}}]');
  const [google = "", own] = linesOf(loom);
  expect(JSON.parse(google).source).toMatchObject({
    as: { number: 15169 },
    geo: { continent_name: "North America", country_iso_code: "US", country_name: "United States" },
  });
  expect(own).toBe('{"source":{"ip":"10.1.2.3"}}');
});

test("a batch with a line break between all tokens is written as one line for each event", async () => {
  await using loom = await startExecutable();
  await send(loom.ingestUrl, '\r\n[\n{\n"a"\n:\n"1\\n"\n}\n,\n{\r\n"b":18446744073709551615}\n]\n');
  const lines = linesOf(loom).map((line) => line.replaceAll(" ", ""));
  expect(lines).toEqual(['{"a":"1\\n"}', '{"b":18446744073709551615}']);
});

test("nothing of a refused batch is written to stdout", async () => {
  await using loom = await startExecutable();
  expect(await send(loom.ingestUrl, '[{"a":1},{"b":2},3]')).toBe(400);
  expect(loom.stdoutBytes().length).toBe(0);
});

/** @returns the text of every event that was sent */
async function sendCaptured({ ingestUrl }: RunningLoom): Promise<string[]> {
  for (const { path, headers, body } of capturedRequests) {
    const { "content-type": contentType = "", "x-spip-id": spipId = "" } = headers;
    const url = new URL(path, ingestUrl).href;
    const status = await send(url, body, { headers: { "content-type": contentType, "x-spip-id": spipId } });
    expect(status).toBe(204);
  }
  return capturedRequests.flatMap(({ body }) => eventTexts(body));
}

function linesOf(loom: RunningLoom): string[] {
  const text = loom.stdoutBytes().toString();
  expect(text.endsWith("\n")).toBe(true);
  return text.slice(0, -1).split("\n");
}

/** The text that the line has and the event does not. */
function withoutInsertion(line: string, event: string): { event: string; inserted: string } {
  let start = 0;
  while (start < event.length && line[start] === event[start]) start++;
  const end = line.length - (event.length - start);
  return { event: line.slice(0, start) + line.slice(end), inserted: line.slice(start, end) };
}

/** The texts of an array's objects. It does not use Loom's scanner, which is under test. */
function eventTexts(array: string): string[] {
  const texts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of array.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === "{" && depth++ === 0) start = index;
    if (token === "}" && --depth === 0) texts.push(array.slice(start, index + 1));
  }
  return texts;
}
