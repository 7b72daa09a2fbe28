import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Reader } from "maxmind";
import { double, float, int32, uint16, uint64, type Value } from "../../scripts/mmdb/writer.ts";
import { DatabaseError } from "../../server/enrich/database-error.ts";
import { type RecordFacts, readFacts } from "../../server/enrich/database-layouts.ts";
import { createDatabaseReader, type DatabaseReader } from "../../server/enrich/database-reader.ts";
import { sideOf } from "../../server/enrich/database-walk.ts";
import { ipAddressText } from "../../server/ip-address.ts";
import { inventedDatabases } from "../mmdb/invented-databases.ts";
import { asnRecord, cityRecord, sampleDatabase } from "../mmdb/samples.ts";
import { createRandom, type Random } from "../support/random.ts";

/*
 * Loom's reader is compared with mmdb-lib, which decodes whole records.
 *   LOOM_LOOKUPS=1000000 LOOM_LOOKUP_SEED=7 LOOM_LOOKUP_DATABASES=/directory/with/mmdb/files bun test database-record
 */
const {
  LOOM_LOOKUPS: lookups = 3_000,
  LOOM_LOOKUP_SEED: seed = 20261125,
  LOOM_LOOKUP_DATABASES,
} = process.env;

setDefaultTimeout(600_000);

/** Members of every type, wanted and not, in all layouts, as real and hostile databases may have them. */
const keys = [
  ...["autonomous_system_number", "autonomous_system_organization", "traits", "continent", "country"],
  ...["city", "subdivisions", "location", "postal", "names", "en", "de", "code", "iso_code", "latitude"],
  ...["longitude", "time_zone", "asn", "as_name", "name", "country_code", "country_name", "continent_code"],
  ...[
    "continent_name",
    "region",
    "region_code",
    "state1",
    "postcode",
    "timezone",
    "lat",
    "lng",
    "is_anycast",
  ],
];
const texts = [
  "SE",
  "EU",
  "ZZ",
  "Östergötland",
  "AS1221",
  "12.5",
  "-0.25",
  "0",
  "",
  "x".repeat(300),
  '\u0000"\\',
];

function randomValue(random: Random, depth: number): Value {
  switch (random.below(depth > 3 ? 7 : 12)) {
    case 0:
      return double(random.below(3_600) / 10 - 180);
    case 1:
      return float(random.below(1_000_000) / 1_000);
    case 2:
      return random.pick<Value>([uint16(random.below(65_536)), uint64(BigInt(random.below(2 ** 32)))]);
    case 3:
      return random.pick<Value>([int32(-random.below(2 ** 31)), random.below(2 ** 32), true, false]);
    case 4:
    case 5:
    case 6:
      return random.pick(texts);
    case 7:
      return Array.from({ length: random.below(3) }, () => randomValue(random, depth + 1));
    default:
      return randomMap(random, depth);
  }
}

function randomMap(random: Random, depth: number): Value {
  const members = Array.from({ length: random.below(depth === 0 ? 24 : 8) }, () => [
    random.pick(keys),
    randomValue(random, depth + 1),
  ]);
  return Object.fromEntries(members);
}

function randomDatabase(random: Random, recordSize: 24 | 28 | 32, type: string): Buffer {
  const networks = Array.from({ length: 200 }, (_, i): [string, Value] => [
    i % 4 === 0
      ? `2${(random.below(0xfff) + 0x1000).toString(16).slice(1)}:${random.below(0xffff).toString(16)}::/${20 + random.below(44)}`
      : `${1 + random.below(223)}.${random.below(256)}.${random.below(256)}.0/${4 + random.below(28)}`,
    random.below(20) === 0 ? randomValue(random, 0) : randomMap(random, 0),
  ]);
  return sampleDatabase({ recordSize, type, networks });
}

function reference(bytes: Buffer): (address: string) => RecordFacts {
  const reader = new Reader<never>(bytes);
  const { databaseType, ipVersion } = reader.metadata;
  return (address) =>
    readFacts(ipVersion === 4 && address.includes(":") ? null : reader.get(address), databaseType);
}

function randomAddress(random: Random): string {
  const group = () => random.below(0x1_0000);
  if (random.below(4) > 0) return ipAddressText([group(), group()]);
  return ipAddressText([
    0x2000 + random.below(0x1000),
    group(),
    group(),
    group(),
    group(),
    group(),
    group(),
    1,
  ]);
}

function expectSame(reader: DatabaseReader, bytes: Buffer, addresses: Iterable<string>): number {
  const expected = reference(bytes);
  let found = 0;
  for (const address of addresses) {
    const facts = reader.read(address);
    if (facts.network || facts.place) found++;
    // A comparison by `expect` takes much longer.
    if (!Bun.deepEquals(facts, expected(address)))
      expect({ address, facts }).toEqual({ address, facts: expected(address) });
  }
  return found;
}

/** An address of each record in the tree. */
function* addressesOfRecords(bytes: Buffer): Generator<string> {
  const { nodeCount, ...metadata } = new Reader<never>(bytes).metadata;
  const recordSize = ([24, 28, 32] as const).find((size) => size === metadata.recordSize) ?? 24;
  const ipVersion = metadata.ipVersion === 4 ? 4 : 6;
  const tree = { bytes, nodeCount, recordSize, ipVersion, dataBytes: 0 } as const;
  const seen = new Set<number>();
  const stack = [{ node: 0, bits: "" }];
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    for (const bit of [1, 0]) {
      const node = sideOf(tree, place.node, bit);
      const bits = `${place.bits}${bit}`;
      if (node < nodeCount) stack.push({ node, bits });
      if (node <= nodeCount || seen.has(node)) continue;
      seen.add(node);
      const groups = bits.padEnd(ipVersion === 4 ? 32 : 128, "0").match(/.{16}/g) ?? [];
      const numbers = groups.map((group) => Number.parseInt(group, 2));
      const isInIpv4 = ipVersion === 6 && numbers.slice(0, 6).every((number) => number === 0);
      yield ipAddressText(isInIpv4 ? numbers.slice(6) : numbers);
    }
  }
}

describe.each([24, 28, 32] as const)("with a tree of %i bits", (recordSize) => {
  test.each(["Test", "ipinfo generic"])(
    "the facts of every record, and of random addresses, are those that mmdb-lib's records have: %s",
    async (type) => {
      const random = createRandom(Number(seed) + recordSize);
      let found = 0;
      for (let round = 0; round < 4; round++) {
        const bytes = randomDatabase(random, recordSize, type);
        const reader = await createDatabaseReader(bytes);
        const count = Math.ceil(Number(lookups) / 24);
        found += expectSame(reader, bytes, addressesOfRecords(bytes));
        found += expectSame(
          reader,
          bytes,
          Array.from({ length: count }, () => randomAddress(random)),
        );
      }
      expect(found).toBeGreaterThan(100);
    },
  );
});

test("the facts of the invented databases are those that mmdb-lib's records have", async () => {
  for (const file of Object.values(inventedDatabases)) {
    const bytes = Buffer.from(file);
    const found = expectSame(await createDatabaseReader(bytes), bytes, addressesOfRecords(bytes));
    expect(found).toBeGreaterThan(10);
  }
});

test("a damaged byte never changes what is read to something that mmdb-lib does not read", async () => {
  const sound = sampleDatabase({
    ipVersion: 4,
    networks: [
      ["81.2.69.0/24", cityRecord("London")],
      ["128.0.0.0/1", asnRecord(1, "A")],
    ],
  });
  const addresses = ["81.2.69.160", "200.1.1.1", "8.8.8.8"];
  let same = 0;
  for (let i = 0; i < sound.length; i++) {
    for (const mask of [0x01, 0x04, 0x20, 0x80, 0xff]) {
      const damaged = Buffer.from(sound);
      damaged[i] = (sound[i] ?? 0) ^ mask;
      try {
        expectSame(await createDatabaseReader(damaged), damaged, addresses);
        same++;
      } catch (error) {
        expect(error).toBeInstanceOf(DatabaseError);
      }
    }
  }
  expect(same).toBeGreaterThan(100);
});

const files =
  LOOM_LOOKUP_DATABASES === undefined || !existsSync(LOOM_LOOKUP_DATABASES)
    ? []
    : readdirSync(LOOM_LOOKUP_DATABASES).filter((name) => name.endsWith(".mmdb"));

test.skipIf(files.length === 0)(
  "the facts of every record of the databases in LOOM_LOOKUP_DATABASES are those that mmdb-lib's records have",
  async () => {
    const random = createRandom(Number(seed));
    for (const name of files) {
      const bytes = readFileSync(join(LOOM_LOOKUP_DATABASES ?? "", name));
      try {
        const reader = await createDatabaseReader(bytes);
        const addresses = Array.from({ length: Number(lookups) }, () => randomAddress(random));
        const records = expectSame(reader, bytes, addressesOfRecords(bytes));
        console.log(`${name}: ${records} records, ${expectSame(reader, bytes, addresses)} random addresses`);
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        console.log(`${name}: refused: ${error.message}`);
      }
    }
  },
);
