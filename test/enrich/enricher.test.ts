import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AddressDatabases, openDatabases } from "../../server/enrich/databases.ts";
import { Enricher } from "../../server/enrich/enricher.ts";
import { KnownScanners } from "../../server/enrich/known-scanners.ts";
import { ReverseDns } from "../../server/enrich/reverse-dns.ts";
import { scanBatch, scanLines } from "../../server/ingest/batch-scanner.ts";
import { asnRecord, sampleCityDatabase, sampleDatabase } from "../mmdb/samples.ts";
import { startDnsServer } from "../support/dns-server.ts";
import { silentLog } from "../support/log.ts";

const directory = mkdtempSync(join(tmpdir(), "loom-enricher-"));
const geoipDbPath = join(directory, "city.mmdb");
const asnDbPath = join(directory, "asn.mmdb");
let databases: AddressDatabases;

beforeAll(async () => {
  writeFileSync(geoipDbPath, sampleCityDatabase("London"));
  writeFileSync(
    asnDbPath,
    sampleDatabase({ type: "GeoLite2-ASN", networks: [["81.2.69.0/24", asnRecord(64496, "Net A")]] }),
  );
  databases = await openDatabases({ geoipDbPath, asnDbPath, log: silentLog });
});

afterAll(() => {
  databases.close();
  rmSync(directory, { recursive: true });
});

const as = ',"as":{"number":64496,"organization":{"name":"Net A"}}';
const geo =
  ',"geo":{"country_iso_code":"GB","country_name":"United Kingdom","city_name":"London","timezone":"Europe/London",' +
  '"location":{"lat":51.5,"lon":-0.1}}';

/** A text with each character as a JSON escape. */
function escaped(text: string): string {
  return text.replace(/./g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

async function enriched(
  body: string,
  enricher: Enricher = new Enricher({ databases, reverseDns: undefined }),
  scanBody: typeof scanBatch = scanBatch,
) {
  const bytes = Buffer.from(body);
  const scan = scanBody(bytes, { maxEventsPerBatch: 1000, maxEventSizeBytes: 1_000_000 });
  if (scan.kind === "refused") throw new Error(scan.refusal);
  return (await enricher.enrich(bytes, scan.value)).lines.toString();
}

describe("an event from a public address", () => {
  test("gets network and place at the end of its source, and nothing else changes", async () => {
    expect(
      await enriched(
        '[{"n":18446744073709551615,"source":{"ip":"81.2.69.142","port":1},"x":1.0,"e":"\\u003c"}]',
      ),
    ).toBe(
      `{"n":18446744073709551615,"source":{"ip":"81.2.69.142","port":1${as}${geo}},"x":1.0,"e":"\\u003c"}\n`,
    );
  });

  for (const [what, ip, added] of [
    ["IPv4", "81.2.69.1", as + geo],
    ["IPv6", "2a00:1450::1", geo],
    ["IPv6 in another spelling", "2A00:1450:0:0::1", geo],
    ["IPv4-mapped", "::ffff:81.2.69.142", as + geo],
    ["IPv4-mapped in hexadecimal", "::ffff:5102:458e", as + geo],
    ["IPv6 in its longest spelling", "2a00:1450:0000:0000:0000:0000:192.168.158.190", geo],
    ["the longest spelling in JSON escapes", escaped("2a00:1450:0000:0000:0000:0000:192.168.158.190"), geo],
    ["spelled with JSON escapes", "81\\u002e2.69.142", as + geo],
    ["not in any database", "8.8.8.8", ""],
  ] as const)
    test(`${what}: ${ip}`, async () => {
      expect(await enriched(`[{"source":{"ip":"${ip}"}}]`)).toBe(`{"source":{"ip":"${ip}"${added}}}\n`);
    });

  test("with its own as, geo or domain has them merged", async () => {
    expect(
      await enriched('[{"a":1,"source":{"ip":"81.2.69.142","geo":{"name":"dc"},"as":{"number":7}},"b":2}]'),
    ).toBe(
      `{"a":1,"source":{"ip":"81.2.69.142","geo":{"name":"dc",${geo.slice(8, -1)}},` +
        '"as":{"number":64496,"organization":{"name":"Net A"}}},"b":2}\n',
    );
  });
});

describe("an event with its address in another field", () => {
  const enricher = new Enricher({
    databases: undefined,
    reverseDns: undefined,
    sourceAddressFields: ["source.ip", "source.address", "src_ip"],
  });
  const fields = ["source.ip", "source.address", "src_ip"];
  const ip = '"ip":"81.2.69.142"';
  for (const [what, event, expected] of [
    [
      "and no source gets one at its end",
      '{"src_ip":"81.2.69.142","x":1.0}',
      `{"src_ip":"81.2.69.142","x":1.0,"source":{${ip}${as}${geo}}}`,
    ],
    [
      "with a dot in its name gets a source at its end",
      '{"source.ip":"81.2.69.142"}',
      `{"source.ip":"81.2.69.142","source":{${ip}${as}${geo}}}`,
    ],
    [
      "and a source gets the address in it",
      '{"source":{"address":"81.2.69.142"},"x":1}',
      `{"source":{"address":"81.2.69.142",${ip}${as}${geo}},"x":1}`,
    ],
    [
      "and a source that has a place gets it merged",
      '{"source":{"address":"81.2.69.142","geo":{"name":"dc"}},"x":1}',
      `{"source":{"address":"81.2.69.142","geo":{"name":"dc",${geo.slice(8, -1)}},${ip}${as}},"x":1}`,
    ],
    [
      "and an invalid source.ip keeps that one",
      '{"source":{"ip":"?"},"src_ip":"81.2.69.142"}',
      `{"source":{"ip":"?"${as}${geo}},"src_ip":"81.2.69.142"}`,
    ],
    [
      "and a list as source.ip keeps the list",
      '{"source":{"ip":["10.0.0.1","81.2.69.142"]}}',
      `{"source":{"ip":["10.0.0.1","81.2.69.142"]${as}${geo}}}`,
    ],
    [
      "and null as source gets a source in its place",
      '{"source":null,"src_ip":"81.2.69.142"}',
      `{"source":{${ip}${as}${geo}},"src_ip":"81.2.69.142"}`,
    ],
    [
      "and a text as source passes unchanged",
      '{"source":"spip","src_ip":"81.2.69.142"}',
      '{"source":"spip","src_ip":"81.2.69.142"}',
    ],
    [
      "that is private gets only source.ip",
      '{"src_ip":"10.0.0.1"}',
      '{"src_ip":"10.0.0.1","source":{"ip":"10.0.0.1"}}',
    ],
  ] as const)
    test(what, async () => {
      const enricher = new Enricher({ databases, reverseDns: undefined, sourceAddressFields: fields });
      // Plain events on both sides show that its neighbours are not affected.
      const plain = '{"source":{"ip":"10.0.0.1"}}';
      for (const [scanBody, body] of [
        [scanBatch, `[${plain},${event}, ${event},${plain}]`],
        [scanLines, [plain, event, event, plain].join("\n")],
      ] as const)
        expect(await enriched(body, enricher, scanBody)).toBe(
          [plain, expected, expected, plain].map((line) => `${line}\n`).join(""),
        );
    });

  test("passes unchanged when no database is set", async () => {
    const event = '{"src_ip":"81.2.69.142"}';
    expect(await enriched(`[${event}]`, enricher)).toBe(`${event}\n`);
  });

  test("counts as an event with source.ip added", async () => {
    const enricher = new Enricher({ databases, reverseDns: undefined, sourceAddressFields: fields });
    await enriched('[{"src_ip":"81.2.69.142"},{"source":{"ip":["81.2.69.142"]}},{"source":{}}]', enricher);
    expect(enricher.counts.fields).toMatchObject({ "source.ip": 1, "source.geo.city_name": 2 });
    expect(enricher.counts.lookups.geoip).toEqual({ hit: 2, miss: 0, skipped: 1, error: 0 });
  });

  test("is looked for in the configured order", async () => {
    const enricher = new Enricher({
      databases,
      reverseDns: undefined,
      sourceAddressFields: ["src_ip", "source.ip"],
    });
    expect(await enriched('[{"source":{"ip":"8.8.8.8"},"src_ip":"81.2.69.142"}]', enricher)).toBe(
      `{"source":{"ip":"8.8.8.8"${as}${geo}},"src_ip":"81.2.69.142"}\n`,
    );
  });
});

describe("an event from a known scanner", () => {
  const scanners = new KnownScanners([
    {
      id: "shodan",
      name: "Shodan",
      networks: ["81.2.69.0/24", "8.8.8.8", "10.0.0.1"],
      names: [".scan.example"],
      sources: ["https://scan.example/"],
    },
  ]);
  const tags = '"tags":["known-scanner","shodan"]';
  const source = '"source":{"ip":"81.2.69.142"}';
  const enrichedSource = `"source":{"ip":"81.2.69.142"${as}${geo}}`;
  for (const [what, event, expected] of [
    ["gets them at its end", `{${source},"x":1.0}`, `{${enrichedSource},"x":1.0,${tags}}`],
    ["gets them as the only addition", '{"source":{"ip":"8.8.8.8"}}', `{"source":{"ip":"8.8.8.8"},${tags}}`],
    [
      "gets them with a private address",
      '{"source":{"ip":"10.0.0.1"}}',
      `{"source":{"ip":"10.0.0.1"},${tags}}`,
    ],
    [
      "gets those that it does not have yet",
      `{"tags":[ "a","shodan" ],${source}}`,
      `{"tags":[ "a","shodan" ,"known-scanner"],${enrichedSource}}`,
    ],
    [
      "gets them in an empty list",
      `{"tags":[ ],${source}}`,
      `{"tags":[ "known-scanner","shodan"],${enrichedSource}}`,
    ],
    [
      "gets them beside its only one",
      `{${source},"tags":"a"}`,
      `{${enrichedSource},"tags":["a","known-scanner","shodan"]}`,
    ],
    ["gets them in place of null", `{${source},"tags":null}`, `{${enrichedSource},${tags}}`],
    ["keeps an unusual value", `{${source},"tags":{"a":1}}`, `{${enrichedSource},"tags":{"a":1}}`],
    [
      "gets them with its source merged",
      '{"source":{"ip":"81.2.69.142","as":null},"x":1}',
      `{"source":{"ip":"81.2.69.142",${as.slice(1)}${geo}},"x":1,${tags}}`,
    ],
    [
      "gets them with an added source",
      '{"src_ip":"81.2.69.142"}',
      `{"src_ip":"81.2.69.142",${enrichedSource},${tags}}`,
    ],
  ] as const)
    test(what, async () => {
      const enricher = new Enricher({
        databases,
        reverseDns: undefined,
        sourceAddressFields: ["source.ip", "src_ip"],
        scanners,
      });
      const plain = '{"source":{"ip":"2.2.2.2"},"tags":[]}';
      for (const [scanBody, body] of [
        [scanBatch, `[${plain},${event}, ${event},${plain}]`],
        [scanLines, [plain, event, event, plain].join("\n")],
      ] as const)
        expect(await enriched(body, enricher, scanBody)).toBe(
          [plain, expected, expected, plain].map((line) => `${line}\n`).join(""),
        );
    });

  test.each([
    ["confirmed", ["2.2.2.2"], `,${tags}`],
    ["not confirmed", ["2.2.2.3"], ""],
  ] as const)("gets them by its reverse name if that is %s", async (_, addresses, added) => {
    await using server = await startDnsServer((name) =>
      name.endsWith(".arpa") ? { names: ["a.scan.example"] } : { addresses },
    );
    const reverseDns = new ReverseDns({
      cacheTtlSeconds: 300,
      maxQps: 100,
      maxWaitMs: 2000,
      resolverAddr: server.address,
      needsConfirmation: (name) => scanners.scannerOfName(name) !== undefined,
    });
    const enricher = new Enricher({ databases: undefined, reverseDns, scanners });
    expect(await enriched('[{"source":{"ip":"2.2.2.2"}}]', enricher)).toBe(
      `{"source":{"ip":"2.2.2.2","domain":"a.scan.example"}${added}}\n`,
    );
    reverseDns.close();
  });

  test("gets only its tags if no database is set", async () => {
    const enricher = new Enricher({
      databases: undefined,
      reverseDns: undefined,
      scanners,
      sourceAddressFields: ["src_ip"],
    });
    expect(await enriched('[{"src_ip":"8.8.8.8"}]', enricher)).toBe(`{"src_ip":"8.8.8.8",${tags}}\n`);
  });

  test("counts as one with tags added, unless they could not be", async () => {
    const enricher = new Enricher({ databases, reverseDns: undefined, scanners });
    await enriched(`[{${source}},{${source},"tags":[]},{${source},"tags":7}]`, enricher);
    expect(enricher.counts.fields).toMatchObject({ tags: 2, "source.as.number": 3 });
  });
});

describe("events of newline-delimited JSON", () => {
  const plain = '{"source":{"ip":"81.2.69.142"}}';
  const own = '{"source":{"ip":"81.2.69.142","as":null},"x":1}';
  const other = '{"a":"\\n"}';
  const withAdditions = [
    `{"source":{"ip":"81.2.69.142"${as}${geo}}}`,
    `{"source":{"ip":"81.2.69.142"${as}${geo}},"x":1}`,
    other,
  ];

  for (const [what, separator] of [
    ["LF", "\n"],
    ["CRLF", "\r\n"],
    ["blank lines", " \n\n\t\r\n"],
  ] as const)
    test(`with ${what} between them are enriched in every order`, async () => {
      for (const order of [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
        [0, 0],
        [2, 2],
      ]) {
        const texts = order.map((i) => [plain, own, other][i]);
        for (const body of [texts.join(separator), separator + texts.join(separator) + separator])
          expect(await enriched(body, undefined, scanLines)).toBe(
            order.map((i) => `${withAdditions[i]}\n`).join(""),
          );
      }
    });

  test("with line breaks inside become one line each", async () => {
    const body = `{\r\n"a":\r1\n}\n{"source":{\n"ip":"81.2.69.142"\n}}\n${other}`;
    expect(await enriched(body, undefined, scanLines)).toBe(
      `{"a":1}\n{"source":{"ip":"81.2.69.142"${as}${geo}}}\n${other}\n`,
    );
  });

  test("with carriage returns inside become one line each", async () => {
    expect(await enriched('{"a":1}\r\n{"b":\r2}\r\n{}', undefined, scanLines)).toBe('{"a":1}\n{"b":2}\n{}\n');
  });
});

describe("an event passes unchanged", () => {
  for (const ip of [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "127.0.0.1",
    "169.254.1.1",
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.9",
    "::1",
    "fe80::1",
    "fd00::1",
    "2001:db8::1",
    "::ffff:10.0.0.1",
    "",
    "x",
    "81.2.69",
    "81.2.69.142:80",
    " 81.2.69.142",
    "081.2.69.142",
    "81.2.69.142/32",
    "1".repeat(5000),
    "\\u0038".repeat(46),
  ])
    test(`with source.ip ${ip.slice(0, 40)}`, async () => {
      const event = `{"source":{"ip":"${ip}","as":{"number":7}}}`;
      expect(await enriched(`[${event}]`)).toBe(`${event}\n`);
    });

  for (const event of [
    '{"source":{"ip":7}}',
    '{"source":{}}',
    '{"source":null}',
    '{"source":"81.2.69.142"}',
    "{}",
  ])
    test(`as ${event}`, async () => {
      expect(await enriched(`[${event}]`)).toBe(`${event}\n`);
    });

  test("when no database is set", async () => {
    const event = '{"source":{"ip":"81.2.69.142"}}';
    const enricher = new Enricher({ databases: undefined, reverseDns: undefined });
    expect(await enriched(`[${event}]`, enricher)).toBe(`${event}\n`);
  });
});

describe("lines", () => {
  test("there is one line per event, in order", async () => {
    expect(await enriched('[{"a":1},{"source":{"ip":"81.2.69.1"}} , {"b":2}]')).toBe(
      `{"a":1}\n{"source":{"ip":"81.2.69.1"${as}${geo}}}\n{"b":2}\n`,
    );
    expect(await enriched("[]")).toBe("");
  });

  test("line breaks between tokens are removed, and those in strings stay escaped", async () => {
    expect(
      await enriched('[\r\n{\n"a" :\r\n"x\\ny",\n"source":\n{\n"ip":"81.2.69.1"\n}\n}\n,\n{\n}\n]'),
    ).toBe(`{"a" :"x\\ny","source":{"ip":"81.2.69.1"${as}${geo}}}\n{}\n`);
  });

  for (const [what, lineBreak] of [
    ["line feeds", "\n"],
    ["carriage returns", "\r"],
  ] as const)
    test(`${what} alone are removed`, async () => {
      const body = '[~{~"source":~{~"ip":"81.2.69.1"~}~}~,~{}~]'.replaceAll("~", lineBreak);
      expect(await enriched(body)).toBe(`{"source":{"ip":"81.2.69.1"${as}${geo}}}\n{}\n`);
    });

  test("bytes from 0x80 up come out as they are", async () => {
    const event = '{"é":"☃ 𝄞 \u2028","source":{"ip":"81.2.69.1","é":1}}';
    expect(await enriched(`[${event}]`)).toBe(
      `{"é":"☃ 𝄞 \u2028","source":{"ip":"81.2.69.1","é":1${as}${geo}}}\n`,
    );
  });
});

describe("an operator's own database, configured in a list", () => {
  const asked: string[] = [];
  const reverseDns = {
    resolve: async (addresses: ReadonlySet<string>) => void asked.push(...addresses),
    known: () => undefined,
    confirmedName: () => undefined,
  };

  async function ownEnricher(): Promise<Enricher> {
    const path = join(directory, "own.mmdb");
    writeFileSync(path, sampleDatabase({ networks: [["10.1.0.0/16", { country_code: "SE" }]] }));
    const own = await openDatabases({ geoipDbPath: [path], asnDbPath: undefined, log: silentLog });
    own.close();
    return new Enricher({ databases: own, reverseDns });
  }

  test("enriches events from private networks, and no resolver is asked about them", async () => {
    const enricher = await ownEnricher();
    const body = '[{"source":{"ip":"10.1.2.3"}},{"source":{"ip":"10.2.2.3"}},{"source":{"ip":"8.8.8.8"}}]';
    const [first, second] = (await enriched(body, enricher)).split("\n");
    expect(first).toBe(
      '{"source":{"ip":"10.1.2.3","geo":{"continent_code":"EU","continent_name":"Europe",' +
        '"country_iso_code":"SE","country_name":"Sweden"}}}',
    );
    expect(second).toBe('{"source":{"ip":"10.2.2.3"}}');
    expect(asked).toEqual(["8.8.8.8"]);
    expect(enricher.counts.lookups.geoip).toEqual({ hit: 1, miss: 2, skipped: 0, error: 0 });
  });
});

describe("counts", () => {
  test("every event counts once per database: hit, miss or skipped", async () => {
    const enricher = new Enricher({ databases, reverseDns: undefined });
    const ips = ["81.2.69.1", "2a00:1450::1", "8.8.8.8", "10.0.0.1", "81.2.69.1", "81.2.69.1"];
    await enriched(`[${ips.map((ip) => `{"source":{"ip":"${ip}"}}`).join(",")},{}]`, enricher);
    expect(enricher.counts.lookups.geoip).toEqual({ hit: 4, miss: 1, skipped: 2, error: 0 });
    expect(enricher.counts.lookups.asn).toEqual({ hit: 3, miss: 2, skipped: 2, error: 0 });
    expect(enricher.counts.cacheHits).toBe(2);
    expect(enricher.counts.cacheMisses).toBe(4);
  });

  test("a text that is longer than any address is not looked up", async () => {
    const enricher = new Enricher({ databases, reverseDns: undefined });
    for (const ip of ["1".repeat(46), escaped("1".repeat(46)), "x".repeat(100_000)])
      await enriched(`[{"source":{"ip":"${ip}"}}]`, enricher);
    expect(enricher.counts.cacheMisses).toBe(0);
    expect(enricher.counts.lookups.geoip.skipped).toBe(3);
  });

  test("addresses are looked up again after a database was replaced", async () => {
    let generation = 0;
    const replaced: AddressDatabases = {
      ...databases,
      get generation() {
        return generation;
      },
    };
    const enricher = new Enricher({ databases: replaced, reverseDns: undefined });
    await enriched('[{"source":{"ip":"81.2.69.1"}}]', enricher);
    generation++;
    await enriched('[{"source":{"ip":"81.2.69.1"}}]', enricher);
    expect(enricher.counts.cacheMisses).toBe(2);
  });

  test("every field counts the events that got it, and no others", async () => {
    const enricher = new Enricher({ databases, reverseDns: undefined });
    const ips = ["81.2.69.1", "81.2.69.2", "2a00:1450::1", "8.8.8.8", "10.0.0.1", "x"];
    await enriched(`[${ips.map((ip) => `{"source":{"ip":"${ip}"}}`).join(",")},{}]`, enricher);
    expect(enricher.counts.events).toBe(7);
    expect(enricher.counts.fields).toEqual({
      "source.as.number": 2,
      "source.as.organization.name": 2,
      "source.geo.continent_code": 0,
      "source.geo.continent_name": 0,
      "source.geo.country_iso_code": 3,
      "source.geo.country_name": 3,
      "source.geo.region_iso_code": 0,
      "source.geo.region_name": 0,
      "source.geo.city_name": 3,
      "source.geo.postal_code": 0,
      "source.geo.timezone": 3,
      "source.geo.location": 3,
      "source.domain": 0,
      "source.ip": 0,
      tags: 0,
    });
  });

  test("a field counts if it is merged into the event's own", async () => {
    const enricher = new Enricher({ databases, reverseDns: undefined });
    await enriched('[{"source":{"ip":"81.2.69.1","geo":{"city_name":"Here"},"as":null}}]', enricher);
    expect(enricher.counts.fields).toMatchObject({ "source.geo.city_name": 1, "source.as.number": 1 });
  });

  test("a field that could not be merged into the event's own does not count", async () => {
    const enricher = new Enricher({ databases, reverseDns: undefined });
    await enriched('[{"source":{"ip":"81.2.69.1","geo":"here","as":{"organization":7}}}]', enricher);
    expect(enricher.counts.fields).toMatchObject({
      "source.geo.city_name": 0,
      "source.as.number": 1,
      "source.as.organization.name": 0,
    });
    expect(enricher.counts.events).toBe(1);
  });
});

describe("reverse DNS", () => {
  const dnsConfig = { cacheTtlSeconds: 300, maxQps: 100, maxWaitMs: 2000 };

  test("adds source.domain to each event of an address that has a name", async () => {
    await using server = await startDnsServer(() => ({ names: ["host.example.com"] }));
    const reverseDns = new ReverseDns({ ...dnsConfig, resolverAddr: server.address });
    const enricher = new Enricher({ databases, reverseDns });
    const body =
      '[{"source":{"ip":"81.2.69.1"}},{"source":{"ip":"81.2.69.1","domain":"x"}},{"source":{"ip":"10.1.1.1"}}]';
    expect(await enriched(body, enricher)).toBe(
      `{"source":{"ip":"81.2.69.1"${as}${geo},"domain":"host.example.com"}}\n` +
        `{"source":{"ip":"81.2.69.1","domain":"host.example.com"${as}${geo}}}\n{"source":{"ip":"10.1.1.1"}}\n`,
    );
    expect(enricher.counts.fields).toMatchObject({ "source.domain": 2, "source.as.number": 2 });
    expect(enricher.counts.events).toBe(3);
    expect(server.questions).toHaveLength(1);
    reverseDns.close();
  });

  test("adds a name without a database", async () => {
    await using server = await startDnsServer(() => ({ names: ["host.example.com"] }));
    const reverseDns = new ReverseDns({ ...dnsConfig, resolverAddr: server.address });
    const enricher = new Enricher({ databases: undefined, reverseDns });
    expect(await enriched('[{"source":{"ip":"81.2.69.1"}}]', enricher)).toBe(
      '{"source":{"ip":"81.2.69.1","domain":"host.example.com"}}\n',
    );
    reverseDns.close();
  });

  test("that never answers does not stop the batch, which gets no name", async () => {
    await using server = await startDnsServer(() => "silence");
    const reverseDns = new ReverseDns({ ...dnsConfig, maxWaitMs: 50, resolverAddr: server.address });
    const enricher = new Enricher({ databases, reverseDns });
    expect(await enriched('[{"source":{"ip":"81.2.69.1"}}]', enricher)).toBe(
      `{"source":{"ip":"81.2.69.1"${as}${geo}}}\n`,
    );
    expect(server.questions).toHaveLength(1);
    reverseDns.close();
  });
});
