import { describe, expect, test } from "bun:test";
import { Enricher, type EnricherOptions } from "../../server/enrich/enricher.ts";
import { IgnoreRules } from "../../server/enrich/ignore-rules.ts";
import { KnownScanners } from "../../server/enrich/known-scanners.ts";
import { scanBatch, scanLines } from "../../server/ingest/batch-scanner.ts";
import { Ledger } from "../../server/telemetry/ledger.ts";
import { parseConfig } from "../config/parse.ts";

const toml = (action: string, network: string) =>
  `[[ignore]]\nname = "${action}"\naction = "${action}"\nnetworks = ["${network}"]\n`;
const configOf = (text: string) => parseConfig(text, {}).ignore;
const dropped = '{"d":1,"source":{"ip":"198.51.100.1"}}';
const kept = ['{"n":1}', '{"source":{"ip":"8.8.8.8"}}', '{"n":3}'] as const;

function setUp(text = toml("drop", "198.51.100.0/24"), options: Partial<EnricherOptions> = {}) {
  const ignoreRules = new IgnoreRules(configOf(text), new Ledger());
  const enricher = new Enricher({ databases: undefined, reverseDns: undefined, ignoreRules, ...options });
  async function enrich(body: string, scanBody: typeof scanBatch = scanBatch) {
    const bytes = Buffer.from(body);
    const scan = scanBody(bytes, { maxEventsPerBatch: 1000, maxEventSizeBytes: 1_000_000 });
    if (scan.kind === "refused") throw new Error(scan.refusal);
    const { lines, eventCount, matches } = await enricher.enrich(bytes, scan.value);
    return { lines: lines.toString(), eventCount, matches: matches.map(({ events }) => events) };
  }
  return { ignoreRules, enricher, enrich };
}

describe("events that a rule drops are cut out of the batch, wherever they are:", () => {
  const [a, b, c] = kept;
  for (const [where, events] of [
    ["first", [dropped, a, b, c]],
    ["between", [a, dropped, b, dropped, dropped, c]],
    ["last", [a, b, c, dropped, dropped]],
    ["around", [dropped, a, dropped, b, dropped, c, dropped]],
  ] as const)
    for (const [form, body, scanBody] of [
      ["an array", `[${events.join(",")}]`, scanBatch],
      ["an array with space", `[ ${events.join(" , ")} ]`, scanBatch],
      ["an array with line breaks", `[\n${events.join(",\r\n").replaceAll(":", ":\n")}\n]`, scanBatch],
      ["lines", events.join("\n"), scanLines],
    ] as const)
      test(`${where} in ${form}`, async () => {
        expect(await setUp().enrich(body, scanBody)).toEqual({
          lines: kept.map((line) => `${line}\n`).join(""),
          eventCount: 3,
          matches: [events.length - 3],
        });
      });
});

test("a batch whose events are all dropped has no lines", async () => {
  expect(await setUp().enrich(`[${dropped},${dropped}]`)).toEqual({ lines: "", eventCount: 0, matches: [2] });
});

test("dropped events are not looked up and not counted as enriched, and no resolver is asked about them", async () => {
  const asked: string[] = [];
  const { enricher, enrich } = setUp(toml("drop", "8.8.0.0/16"), {
    reverseDns: {
      resolve: async (addresses) => void asked.push(...addresses),
      known: () => undefined,
      confirmedName: () => undefined,
    },
  });
  await enrich('[{"source":{"ip":"8.8.8.8"}},{"source":{"ip":"9.9.9.9"}}]');
  expect(asked).toEqual(["9.9.9.9"]);
  expect(enricher.counts.events).toBe(1);
  expect(enricher.counts.lookups.asn).toEqual({ hit: 0, miss: 0, skipped: 1, error: 0 });
});

test("a rule applies to the address that enrichment uses, whatever field it is in", async () => {
  const { enrich } = setUp(undefined, { sourceAddressFields: ["source.ip", "src_ip"] });
  const { eventCount, matches } = await enrich(
    '[{"src_ip":"198.51.100.9"},{"src_ip":"198.51.100.9","source":{"ip":"8.8.8.8"}}]',
  );
  expect([eventCount, matches]).toEqual([1, [1]]);
});

describe("the tag of a rule is added", () => {
  const shodan = { id: "shodan", name: "Shodan", sources: ["https://shodan.example/"] };
  const source = '"source":{"ip":"198.51.100.1"}';

  test("behind those of a known scanner", async () => {
    const scanners = new KnownScanners([{ ...shodan, networks: ["198.51.100.0/24"] }]);
    const { enrich } = setUp(toml("tag", "198.51.100.0/24"), { scanners });
    expect((await enrich(`[{${source}}]`)).lines).toBe(
      `{${source},"tags":["known-scanner","shodan","ignored"]}\n`,
    );
  });

  test("behind those of a scanner that is known by its name", async () => {
    const scanners = new KnownScanners([{ ...shodan, names: [".scan.example"] }]);
    const name = "a.scan.example";
    const reverseDns = { resolve: async () => {}, known: () => name, confirmedName: () => name };
    const { enrich } = setUp(toml("tag", "8.8.8.8"), { scanners, reverseDns });
    expect((await enrich('[{"source":{"ip":"8.8.8.8"}}]')).lines).toBe(
      `{"source":{"ip":"8.8.8.8","domain":"${name}"},"tags":["known-scanner","shodan","ignored"]}\n`,
    );
  });

  test("once if a known scanner has it too", async () => {
    const scanners = new KnownScanners([{ ...shodan, networks: ["198.51.100.0/24"] }]);
    const { enrich } = setUp(`${toml("tag", "198.51.100.0/24")}tag = "shodan"`, { scanners });
    expect((await enrich(`[{${source}}]`)).lines).toBe(`{${source},"tags":["known-scanner","shodan"]}\n`);
  });
});

test("each rule that applied has its own number of events; those without an address have none", async () => {
  const { enrich } = setUp(toml("tag", "198.51.100.0/24") + toml("drop", "8.8.8.8"));
  expect(await enrich(`[${dropped},${kept.join(",")},${dropped}]`)).toMatchObject({
    eventCount: 4,
    matches: [2, 1],
  });
});

test("replaced rules apply to addresses that are in the cache", async () => {
  const { ignoreRules, enrich } = setUp("");
  expect((await enrich(`[${dropped}]`)).eventCount).toBe(1);
  ignoreRules.replace(configOf(toml("drop", "198.51.100.0/24")));
  expect((await enrich(`[${dropped}]`)).eventCount).toBe(0);
  ignoreRules.replace([]);
  expect((await enrich(`[${dropped}]`)).eventCount).toBe(1);
});
