import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { unpackDatabase } from "../../../server/enrich/update/unpack-database.ts";
import { sampleCityDatabase } from "../../mmdb/samples.ts";
import { maxmindArchive, type TarMember, tarOf } from "./tar.ts";

const database = sampleCityDatabase("London");
const member: TarMember = { name: "x/GeoLite2-City.mmdb", content: database };

async function* inChunks(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function unpack(bytes: Uint8Array, { chunkSize = 700, maxBytes = 1_000_000 } = {}): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(unpackDatabase(inChunks(bytes, chunkSize), maxBytes)));
}

describe("a database is unpacked", () => {
  for (const chunkSize of [1, 511, 100_000])
    for (const [form, bytes] of [
      ["as it is", database],
      ["gz", gzipSync(database)],
      ["tar", tarOf([member])],
      ["tar.gz", maxmindArchive(database)],
    ] as const)
      test(`${form}, in chunks of ${chunkSize} bytes`, async () => {
        expect((await unpack(bytes, { chunkSize })).equals(database)).toBe(true);
      });

  test("from an archive without the zeros at its end", async () => {
    expect((await unpack(tarOf([member]).subarray(0, -1024))).equals(database)).toBe(true);
  });

  test.each(["../../../etc/passwd.mmdb", "/etc/cron.d/x.mmdb", "..\\x.mmdb", "a\u001b[2Jb.mmdb"])(
    "from a member with the name %p, which is not used as a path",
    async (name) => {
      expect((await unpack(tarOf([{ ...member, name }]))).equals(database)).toBe(true);
    },
  );

  test("from an archive with resource forks of macOS", async () => {
    const fork = { name: "x/._GeoLite2-City.mmdb", content: Buffer.from("fork") };
    expect((await unpack(tarOf([fork, member]))).equals(database)).toBe(true);
  });
});

describe("an archive is refused", () => {
  test.each([
    ["without an mmdb file", tarOf([{ name: "x/README.txt" }]), "the archive has no mmdb file"],
    ["with a directory of that name", tarOf([{ ...member, type: "5" }]), "the archive has no mmdb file"],
    ["with a link of that name", tarOf([{ name: "x.mmdb", type: "2" }]), "the archive has no mmdb file"],
    ["with two mmdb files", tarOf([member, member]), "the archive has more than one mmdb file"],
    ["that is cut off", tarOf([member]).subarray(0, 900), "the archive is cut off"],
    [
      "with a damaged header",
      Buffer.concat([tarOf([{ name: "a" }]).subarray(0, 512), Buffer.alloc(512, 1)]),
      "the archive is damaged",
    ],
    [
      "with a size in binary",
      tarOf([{ ...member, size: "\u0080aaaaaaaaaaa" }]),
      "the archive has a member with a size that is not a number",
    ],
    ["with a size beyond its end", tarOf([{ ...member, size: "77777777777\0" }]), "the archive is cut off"],
    [
      "with thousands of members",
      tarOf(new Array(1001).fill({ name: "a" })),
      "the archive has more than 1000 members",
    ],
  ])("%s", async (_, archive, reason) => {
    await expect(unpack(archive)).rejects.toThrow(reason);
  });
});

describe("gzip data are refused", () => {
  const zipped = gzipSync(database);

  test("if they are cut off", async () => {
    await expect(unpack(zipped.subarray(0, -9))).rejects.toThrow("its gzip data are damaged or cut off");
  });

  test("if they are damaged", async () => {
    const damaged = Buffer.from(zipped);
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 6) ^ 0xff, damaged.length - 6);
    await expect(unpack(damaged)).rejects.toThrow("its gzip data are damaged or cut off");
  });

  test("if they decompress to more than the limit, beyond which nothing is returned", async () => {
    let length = 0;
    const reading = async () => {
      const bomb = gzipSync(Buffer.alloc(50_000_000));
      for await (const chunk of unpackDatabase(inChunks(bomb, 1000), 1_000_000)) length += chunk.length;
    };
    await expect(reading()).rejects.toThrow("it decompresses to more than 1000000 bytes");
    expect(length).toBeLessThanOrEqual(1_000_000);
  });
});

test("nothing gives nothing", async () => {
  expect((await unpack(Buffer.alloc(0))).length).toBe(0);
});
