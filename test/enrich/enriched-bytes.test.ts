import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AddressDatabases, openDatabases } from "../../server/enrich/databases.ts";
import { Enricher } from "../../server/enrich/enricher.ts";
import { IgnoreRules } from "../../server/enrich/ignore-rules.ts";
import { scanBatch, scanLines } from "../../server/ingest/batch-scanner.ts";
import { Ledger } from "../../server/telemetry/ledger.ts";
import { parseConfig } from "../config/parse.ts";
import { asnRecord, sampleCityDatabase, sampleDatabase } from "../mmdb/samples.ts";
import {
  type JsonObject,
  type JsonText,
  type JsonTree,
  lastMember,
  print,
  randomBlank,
  writtenString,
} from "../support/json-tree.ts";
import { silentLog } from "../support/log.ts";
import { createRandom, type Random } from "../support/random.ts";

// LOOM_FUZZ_ROUNDS=100000 LOOM_FUZZ_SEED=7 bun test enriched-bytes
const rounds = Number(process.env.LOOM_FUZZ_ROUNDS ?? 3_000);
const seed = Number(process.env.LOOM_FUZZ_SEED ?? 20261202);

const limits = { maxEventsPerBatch: Number.MAX_SAFE_INTEGER, maxEventSizeBytes: Number.MAX_SAFE_INTEGER };
const sourceFields = ["source.ip", "source.address", "src_ip", "src_host", "client.ip"];
const addresses = ["81.2.69.142", "2A00:1450::1", "::ffff:81.2.69.142", "8.8.8.8", "10.0.0.7", "9.9.9.9"];
/** What the rules and the databases below say about these addresses. */
const dropped = "9.9.9.9";
const tagsOf: Readonly<Record<string, readonly string[]>> = { "8.8.8.8": ["own"], "10.0.0.7": ["lan"] };
const as = { number: 64496, organization: { name: "Net A" } };
const geo = {
  country_iso_code: "GB",
  country_name: "United Kingdom",
  city_name: "London",
  timezone: "Europe/London",
  location: { lat: 51.5, lon: -0.1 },
};
const factsOf: Readonly<Record<string, Facts>> = {
  "81.2.69.142": { as, geo },
  "::ffff:81.2.69.142": { as, geo },
  "2A00:1450::1": { geo },
};

const rules = `
[[ignore]]
name = "a"
networks = ["${dropped}"]
action = "drop"
[[ignore]]
name = "b"
networks = ["8.8.8.0/24"]
tag = "own"
[[ignore]]
name = "c"
networks = ["10.0.0.0/8"]
tag = "lan"
`;

/** A leaf is a value that replaces another one as a whole. */
interface Facts {
  readonly [key: string]: Facts | string | number;
}

const directory = mkdtempSync(join(tmpdir(), "loom-enriched-"));
let databases: AddressDatabases;
let enricher: Enricher;

beforeAll(async () => {
  const geoipDbPath = join(directory, "city.mmdb");
  const asnDbPath = join(directory, "asn.mmdb");
  writeFileSync(geoipDbPath, sampleCityDatabase("London"));
  const networks: [string, ReturnType<typeof asnRecord>][] = [["81.2.69.0/24", asnRecord(64496, "Net A")]];
  writeFileSync(asnDbPath, sampleDatabase({ type: "GeoLite2-ASN", networks }));
  databases = await openDatabases({ geoipDbPath, asnDbPath, log: silentLog });
  const ignoreRules = new IgnoreRules(parseConfig(rules, {}).ignore, new Ledger());
  enricher = new Enricher({
    databases,
    reverseDns: undefined,
    sourceAddressFields: sourceFields,
    ignoreRules,
  });
});

afterAll(() => {
  databases.close();
  rmSync(directory, { recursive: true });
});

test("an enriched batch has exactly the bytes of its events and what is added to them", async () => {
  const random = createRandom(seed);
  for (let round = 0; round < rounds; round++) {
    const events = Array.from({ length: random.below(8) }, () => randomEvent(random));
    const form =
      events.length === 1 ? random.pick(["array", "lines", "object"]) : random.pick(["array", "lines"]);
    const body = Buffer.from(bodyOf(events, form, random));
    const scan = form === "lines" ? scanLines(body, limits) : scanBatch(body, limits);
    if (scan.kind === "refused") throw new Error(`${scan.refusal}: ${body}`);
    const expected = events.map(enrichedLine).filter((line) => line !== undefined);
    const { lines, eventCount } = await enricher.enrich(body, scan.value);
    const context = `round ${round}, seed ${seed}: ${body}`;
    expect(lines.toString(), context).toBe(expected.join(""));
    expect(eventCount, context).toBe(expected.length);
  }
});

function bodyOf(events: readonly JsonTree[], form: string, random: Random): string {
  const blank = randomBlank(random);
  const texts = events.map((event) => `${blank}${print(event)}${blank}`);
  return form === "array" ? `${blank}[${texts.join(",")}]${blank}` : texts.join("\n");
}

const keys = [
  "source",
  "client",
  "tags",
  "src_ip",
  "src_host",
  "source.ip",
  "client.ip",
  "a",
  "__proto__",
  "é☃",
];
const innerKeys = [
  "ip",
  "address",
  "as",
  "geo",
  "domain",
  "port",
  "number",
  "organization",
  "location",
  "name",
];
const numbers = ["0", "-0", "1.0", "1e400", "18446744073709551615", "true", "false", "null"];

function randomEvent(random: Random): JsonObject {
  return randomObject(keys, 0, random);
}

function randomTree(depth: number, random: Random): JsonTree {
  switch (random.below(depth > 3 ? 6 : 11)) {
    case 0:
      return textOf(random.pick(numbers));
    case 1:
      return textOf(
        writtenString(random.pick(["", "x", "own", "lan", 'a"\\\n\u0007', "é☃𝄞", "{}[],:"]), random),
      );
    case 2:
    case 3:
    case 4:
    case 5:
      return textOf(writtenString(random.pick([...addresses, "h.example", "8.8.8.8:80"]), random));
    case 6: {
      const items = Array.from({ length: random.below(4) }, () => randomTree(depth + 1, random));
      return { kind: "list", items, blank: randomBlank(random) };
    }
    default:
      return randomObject(innerKeys, depth + 1, random);
  }
}

function randomObject(names: readonly string[], depth: number, random: Random): JsonObject {
  const members = Array.from({ length: random.below(5) }, () => ({
    key: writtenString(random.pick(names), random),
    value: randomTree(depth, random),
  }));
  return { kind: "object", members, blank: randomBlank(random) };
}

/** The line of an event; undefined: it is dropped. Of the implementation, this uses nothing. */
function enrichedLine(event: JsonObject): string | undefined {
  const address = addressOf(JSON.parse(print(event)));
  if (address === dropped) return undefined;
  const text = address === undefined ? print(event) : printMerged(event, additionsFor(event, address));
  return `${text.replace(/[\r\n]/g, "")}\n`;
}

function additionsFor(event: JsonObject, address: string): Merges {
  const source = lastMember(event, "source")?.value;
  const ip = source?.kind === "object" ? lastMember(source, "ip") : undefined;
  const facts = { ...(ip === undefined && { ip: address }), ...factsOf[address] };
  const tags = tagsOf[address];
  return { ...(Object.keys(facts).length > 0 && { source: facts }), ...(tags && { tags }) };
}

/** Facts replace values; a list is for the tags. */
type Merges = Readonly<Record<string, Facts | string | number | readonly string[]>>;

function printMerged(object: JsonObject, merges: Merges): string {
  const missing: string[] = [];
  const texts = new Map<object, string>();
  for (const [key, value] of Object.entries(merges)) {
    const member = lastMember(object, key);
    if (member) texts.set(member, mergedText(key, member.value, value));
    else missing.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  }
  const members = object.members.map((member) => ({
    key: member.key,
    value: textOf(texts.get(member) ?? print(member.value)),
  }));
  const text = print({ ...object, members });
  if (missing.length === 0) return text;
  return `${text.slice(0, -1)}${members.length > 0 ? "," : ""}${missing.join(",")}}`;
}

function mergedText(key: string, present: JsonTree, value: Merges[string]): string {
  const isNull = present.kind === "text" && present.text === "null";
  // `location` and everything that is not an object are replaced as a whole.
  if (typeof value !== "object" || key === "location" || isNull) return JSON.stringify(value);
  if (isTags(value)) return extendedText(present, value);
  return present.kind === "object" ? printMerged(present, value) : print(present);
}

function extendedText(present: JsonTree, tags: readonly string[]): string {
  const isString = present.kind === "text" && present.text.startsWith('"');
  if (present.kind !== "list" && !isString) return print(present);
  const items = present.kind === "list" ? present.items.map(print) : [present.text];
  const added = tags.map((tag) => JSON.stringify(tag)).filter((tag) => !items.includes(tag));
  const text = present.kind === "list" ? print(present) : `[${present.text}]`;
  if (added.length === 0) return text;
  return `${text.slice(0, -1)}${items.length > 0 ? "," : ""}${added.join(",")}]`;
}

function isTags(value: Merges[string]): value is readonly string[] {
  return Array.isArray(value);
}

function textOf(text: string): JsonText {
  return { kind: "text", text };
}

/** The address of an event, found in what JSON.parse makes of it. */
function addressOf(event: unknown): string | undefined {
  for (const field of sourceFields)
    for (const value of valuesAt(event, field)) {
      const texts = (Array.isArray(value) ? value : [value]).filter(
        (text) => isIP(String(text)) && typeof text === "string",
      );
      const address = texts.find((text) => !text.startsWith("10.")) ?? texts[0];
      if (address !== undefined) return address;
    }
  return undefined;
}

/** The values of a field, nested ones before dotted ones. */
function* valuesAt(value: unknown, field: string): Generator<unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return;
  const names = field.split(".");
  for (let count = 1; count <= names.length; count++) {
    const key = names.slice(0, count).join(".");
    if (!Object.hasOwn(value, key)) continue;
    const inner: unknown = Object.getOwnPropertyDescriptor(value, key)?.value;
    if (count === names.length) yield inner;
    else yield* valuesAt(inner, names.slice(count).join("."));
  }
}
