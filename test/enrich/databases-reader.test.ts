import { describe, expect, test } from "bun:test";
import { raw, type Value } from "../../scripts/mmdb/writer.ts";
import { DatabaseError } from "../../server/enrich/database-error.ts";
import { createDatabaseReader } from "../../server/enrich/database-reader.ts";
import { maxRecordDepth } from "../../server/enrich/database-values.ts";
import {
  asnRecord,
  cityRecord,
  sampleBuildEpoch,
  sampleCityDatabase,
  sampleDatabase,
} from "../mmdb/samples.ts";

const marker = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");

describe("a valid database", () => {
  test("describes itself", async () => {
    const bytes = sampleCityDatabase("London");
    const { type, buildTime, ipVersion, sizeBytes, hasPlaces, hasNetworks } =
      await createDatabaseReader(bytes);
    expect({ type, buildTime, ipVersion, sizeBytes, hasPlaces, hasNetworks }).toEqual({
      type: "GeoLite2-City",
      buildTime: new Date(sampleBuildEpoch * 1000),
      ipVersion: 6,
      sizeBytes: bytes.length,
      hasPlaces: true,
      hasNetworks: false,
    });
  });

  test.each([24, 28, 32] as const)("is read with records of %i bits", async (recordSize) => {
    const networks: [string, Value][] = [["81.2.69.0/24", asnRecord(1, "A")]];
    const reader = await createDatabaseReader(sampleDatabase({ recordSize, networks }));
    expect(reader.read("81.2.69.160").network).toEqual({ asNumber: 1, asOrganizationName: "A" });
    expect(reader.read("81.2.70.1").network).toBeUndefined();
    expect(reader.networkCount).toBe(1);
  });

  test("is read if networks cover every address", async () => {
    const networks: [string, Value][] = [
      ["0.0.0.0/1", asnRecord(1, "A")],
      ["128.0.0.0/1", asnRecord(2, "B")],
    ];
    const reader = await createDatabaseReader(sampleDatabase({ ipVersion: 4, networks }));
    expect(reader.nodeCount).toBe(1);
    expect(reader.networkCount).toBe(2);
    expect(reader.read("200.1.1.1").network?.asNumber).toBe(2);
  });

  test("for IPv4 only has no record of an IPv6 address", async () => {
    const networks: [string, Value][] = [["0.0.0.0/1", asnRecord(1, "A")]];
    const reader = await createDatabaseReader(sampleDatabase({ ipVersion: 4, networks }));
    expect(reader.read("2a00:1450:0:0:0:0:0:8")).toEqual({ network: undefined, place: undefined });
  });
});

describe("a file that is not a valid database is refused", () => {
  const sound = sampleCityDatabase("London");

  test.each([
    ["an empty file", Buffer.alloc(0), "not a MaxMind DB file"],
    ["a text", Buffer.from("<html>404</html>".repeat(100)), "not a MaxMind DB file"],
    ["a file cut off at its end", sound.subarray(0, -250), "cut off"],
    ["a file cut off within its metadata", sound.subarray(0, -20), "outside of its section"],
    ["a marker without metadata", marker, "outside of its section"],
    ["a compressed file", Bun.gzipSync(new Uint8Array(sound)), "gzip"],
    ["a file whose beginning is missing", sound.subarray(100), "node_count|no zeros|outside of the file"],
    ["a file with bytes put in before its data", withBytesAt(sound, 0, 30), "no zeros"],
    [
      "a file with metadata of another kind",
      Buffer.concat([marker, Buffer.from([0x41, 0x78])]),
      "metadata|version",
    ],
    ["a database of another format version", withMetadata("binary_format_major_version", 0xa1, 3), "version"],
    ["a database for another Internet protocol", withMetadata("ip_version", 0xa1, 5), "ip_version"],
    ["a database with records of 6 bits", withMetadata("record_size", 0xa1, 6), "metadata"],
  ])("%s", async (_name, bytes, reason) => {
    await expect(createDatabaseReader(Buffer.from(bytes))).rejects.toThrow(new RegExp(reason));
    await expect(createDatabaseReader(Buffer.from(bytes))).rejects.toBeInstanceOf(DatabaseError);
  });

  test.each([24, 28, 32] as const)("a tree of %i bits that points behind the data", async (recordSize) => {
    const bytes = sampleDatabase({ recordSize, networks: [["81.2.69.0/24", asnRecord(1, "A")]] });
    bytes.fill(0xff, 0, recordSize / 4);
    await expect(createDatabaseReader(bytes)).rejects.toThrow("node 0 of its search tree points outside");
  });

  test("a tree that points between the tree and the data", async () => {
    const bytes = sampleDatabase({ ipVersion: 4, networks: [["0.0.0.0/1", asnRecord(1, "A")]] });
    bytes.writeUIntBE(2, 0, 3);
    await expect(createDatabaseReader(bytes)).rejects.toThrow("node 0 of its search tree points outside");
  });
});

describe("a damaged or malicious record is refused", () => {
  // A record is the first thing in its data section: a pointer to 0 points at it.
  const pointerToItself = raw(0x20, 0);
  const textSize16Million = [0x5f, 0xff, 0xff, 0xff];

  test.each<[string, Value, string]>([
    ["a pointer to itself", pointerToItself, "pointer to a pointer"],
    ["a map that contains itself", { a: pointerToItself }, "nested"],
    ["an array that contains itself 28 times over", Array<Value>(28).fill(pointerToItself), "nested|values"],
    ["an array of 16 million elements", raw(0x1f, 0x04, 0xff, 0xff, 0xff), "outside of its section|values"],
    ["a map of 16 million keys", raw(0xff, 0xff, 0xff, 0xff), "outside of its section|values|key"],
    ["a text of 16 million bytes", raw(...textSize16Million), "of type 2"],
    ["a text that ends behind the data", raw(0x5c, 0x61), "outside of its section"],
    ["a pointer behind the data", raw(0x27, 0xff), "outside of its section"],
    ["a pointer of four bytes behind the file", raw(0x38, 0xff, 0xff, 0xff, 0xff), "outside of its section"],
    ["a double of 4 bytes", raw(0x64, 0, 0, 0, 0), "of type 3 and 4 bytes"],
    ["an integer of 5 bytes", raw(0xc5, 0, 0, 0, 0, 0), "of type 6 and 5 bytes"],
    ["a boolean of 2", raw(0x02, 0x07), "boolean of 2"],
    ["an unknown type", raw(0x00, 0x05), "unknown type 12"],
    ["a key that is a number", raw(0xe1, 0xc1, 1, 0xc1, 1), "key that is not text"],
    ["a record without its last value", raw(0xe1, 0x41, 0x61), "outside of its section"],
  ])("%s", async (_name, record, reason) => {
    const bytes = sampleDatabase({ networks: [["81.2.69.0/24", record]] });
    await expect(createDatabaseReader(bytes)).rejects.toThrow(new RegExp(reason));
  });

  test("a record nested deeper than its bound", async () => {
    const nested = (depth: number): Value => (depth === 0 ? "x" : [nested(depth - 1)]);
    const networks = (depth: number): [string, Value][] => [["81.2.69.0/24", nested(depth)]];
    await createDatabaseReader(sampleDatabase({ networks: networks(maxRecordDepth) }));
    const tooDeep = createDatabaseReader(sampleDatabase({ networks: networks(maxRecordDepth + 1) }));
    await expect(tooDeep).rejects.toThrow("nested");
  });

  test("arrays of pointers to arrays of pointers, whose decoding would never end", async () => {
    // Fourteen levels, each twice as large as the one before; the last one is the record.
    const levels: number[] = [0x41, 0x61];
    let target = 0;
    for (let level = 0; level < 14; level++) {
      const start = levels.length;
      levels.push(0x02, 0x04, 0x20 | (target >> 8), target & 0xff, 0x20 | (target >> 8), target & 0xff);
      target = start;
    }
    const bytes = sampleDatabase({
      networks: [
        ["81.2.69.0/24", raw(...levels)],
        ["81.2.70.0/24", raw(0x01, 0x04, 0x20 | (target >> 8), target & 0xff)],
      ],
    });
    await expect(createDatabaseReader(bytes)).rejects.toThrow("values");
  });

  test("a long text that many pointers point at", async () => {
    const text = "x".repeat(60_000);
    const networks: [string, Value][] = [["81.2.69.0/24", Array<Value>(20).fill(text)]];
    await expect(createDatabaseReader(sampleDatabase({ networks }))).rejects.toThrow("bytes");
  });

  test("metadata that contains itself", async () => {
    const metadata = Buffer.from([0xe1, 0x41, 0x61, 0x20, 0x00]);
    await expect(createDatabaseReader(Buffer.concat([marker, metadata]))).rejects.toThrow("nested");
  });
});

describe("damage that the check did not find", () => {
  // The file is damaged after the check, as a record that the sample of a large database did not include.
  test("ends in a DatabaseError when the record is looked up, and only then", async () => {
    const bytes = sampleDatabase({
      networks: [
        ["81.2.69.0/24", cityRecord("London")],
        ["81.2.70.0/24", asnRecord(1, "Damaged")],
      ],
    });
    const reader = await createDatabaseReader(bytes);
    bytes[bytes.indexOf("Damaged") - 1] = 0x20;
    expect(() => reader.read("81.2.70.1")).toThrow(DatabaseError);
    expect(reader.read("81.2.69.160").place?.cityName).toBe("London");
  });

  test("in any single byte of a file only makes Loom refuse the file or read other facts", async () => {
    const sound = sampleDatabase({
      ipVersion: 4,
      networks: [
        ["81.2.69.0/24", cityRecord("London")],
        ["128.0.0.0/1", asnRecord(1, "A")],
      ],
    });
    let refused = 0;
    for (let i = 0; i < sound.length; i++) {
      for (const mask of [0x01, 0x20, 0xff]) {
        const damaged = Buffer.from(sound);
        damaged[i] = (sound[i] ?? 0) ^ mask;
        try {
          const reader = await createDatabaseReader(damaged);
          reader.read("81.2.69.160");
        } catch (error) {
          expect(error).toBeInstanceOf(DatabaseError);
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(sound.length);
  });
});

test("the event loop keeps running while a large database is checked", async () => {
  const ballast = Array.from({ length: 300 }, (_, i) => `value ${i}`);
  const networks = Array.from({ length: 1_000 }, (_, i): [string, Value] => [
    `${1 + (i >> 8)}.${i & 0xff}.0.0/24`,
    { number: i, ballast },
  ]);
  const bytes = sampleDatabase({ networks });
  let turns = 0;
  const counter = setInterval(() => turns++, 1);
  await createDatabaseReader(bytes);
  clearInterval(counter);
  expect(turns).toBeGreaterThan(0);
});

/** The valid database with one field of its metadata overwritten. The field is found by its name. */
function withMetadata(name: string, control: number, value: number): Buffer {
  const bytes = Buffer.from(sampleCityDatabase("London"));
  const at = bytes.lastIndexOf(name) + name.length;
  bytes[at] = control;
  bytes[at + 1] = value;
  return bytes;
}

function withBytesAt(bytes: Buffer, at: number, count: number): Buffer {
  return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(count, 0x01), bytes.subarray(at)]);
}
