import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DatabaseSlot, openDatabaseSlot } from "../../server/enrich/database-slot.ts";
import { openDatabases } from "../../server/enrich/databases.ts";
import type { Answer } from "../../server/enrich/record-answers.ts";
import { parseIpAddress } from "../../server/ip-address.ts";
import type { LogFields } from "../../server/telemetry/log.ts";
import { asnRecord, cityRecord, sampleCityDatabase, sampleDatabase } from "../mmdb/samples.ts";

interface Line {
  readonly level: "info" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

let folder: string;
let path: string;
let lines: Line[];
let slot: DatabaseSlot;

const log = {
  info: (message: string, fields: LogFields = {}) => void lines.push({ level: "info", message, fields }),
  error: (message: string, fields: LogFields = {}) => void lines.push({ level: "error", message, fields }),
};
const address = "81.2.69.160";

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "loom-replaced-"));
  path = join(folder, "city.mmdb");
  lines = [];
  writeFileSync(path, sampleCityDatabase("Old"));
  slot = await openDatabaseSlot({ role: "geoip", path, log });
});

afterEach(() => {
  slot.close();
  rmSync(folder, { recursive: true });
});

function read(text: string): Answer {
  return slot.read(parseIpAddress(text) ?? []);
}

function city(): string | undefined {
  return read(address).facts.place?.cityName;
}

/** Replaces the database file in one step, as geoipupdate does. */
function replaceWith(bytes: Uint8Array): void {
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}

function errors(): Line[] {
  return lines.filter(({ level }) => level === "error");
}

describe("a file that is replaced", () => {
  test("is loaded when two polls find the same file", async () => {
    replaceWith(sampleCityDatabase("New"));
    await slot.poll();
    expect(city()).toBe("Old");
    await slot.poll();
    expect(city()).toBe("New");
    expect(slot.generation).toBe(1);
  });

  test("is loaded if it has the same size as the old one", async () => {
    replaceWith(sampleCityDatabase("Odd"));
    await slot.poll();
    await slot.poll();
    expect(city()).toBe("Odd");
  });

  test("is not loaded while it grows from poll to poll", async () => {
    const bytes = sampleCityDatabase("New");
    for (const part of [0.25, 0.5, 0.75]) {
      writeFileSync(path, bytes.subarray(0, bytes.length * part));
      await slot.poll();
      expect(city()).toBe("Old");
    }
    expect(errors()).toEqual([]);
    writeFileSync(path, bytes);
    await slot.poll();
    await slot.poll();
    expect(city()).toBe("New");
  });

  test("is loaded at once on a reload", async () => {
    replaceWith(sampleCityDatabase("New"));
    await slot.reload();
    expect(city()).toBe("New");
    expect(slot.generation).toBe(1);
  });

  test("is logged with its type and build date", async () => {
    replaceWith(sampleCityDatabase("New"));
    await slot.reload();
    expect(lines.at(-1)).toEqual({
      level: "info",
      message: "database reloaded",
      fields: { role: "geoip", path, type: "GeoLite2-City", build_time: "2026-01-01T00:00:00.000Z" },
    });
  });

  test("is read once if a poll and reloads run at the same time", async () => {
    replaceWith(sampleCityDatabase("New"));
    await Promise.all([slot.reload(), slot.poll(), slot.reload()]);
    expect(slot.generation).toBe(1);
  });

  test("never leaves a lookup without a database", async () => {
    replaceWith(sampleCityDatabase("New"));
    let isDone = false;
    const reloading = slot.reload().finally(() => {
      isDone = true;
    });
    const seen = new Set<string | undefined>();
    while (!isDone) {
      seen.add(city());
      await new Promise(setImmediate);
    }
    await reloading;
    seen.add(city());
    expect([...seen]).toEqual(["Old", "New"]);
  });

  test("is not loaded after the close", async () => {
    replaceWith(sampleCityDatabase("New"));
    const reloading = slot.reload();
    slot.close();
    await reloading;
    expect(city()).toBe("Old");
    expect(slot.generation).toBe(0);
  });
});

test("a file that is the same is not read again", async () => {
  await slot.poll();
  await slot.poll();
  await slot.reload();
  expect(slot.generation).toBe(0);
});

describe("a replacement that cannot be used", () => {
  const damaged = sampleCityDatabase("New").subarray(0, -300);
  const networks: [string, ReturnType<typeof asnRecord>][] = [["81.0.0.0/8", asnRecord(1, "A")]];

  test.each([
    ["that is damaged", damaged, "cut off"],
    ["of the wrong kind", sampleDatabase({ type: "GeoLite2-ASN", networks }), '"GeoLite2-ASN" database'],
  ])("%s is refused with its reason, and the old one stays", async (_name, bytes, reason) => {
    replaceWith(bytes);
    await slot.poll();
    await slot.poll();
    expect(city()).toBe("Old");
    expect(slot.generation).toBe(0);
    expect(errors().map(({ message }) => message)).toEqual(["database refused; the loaded one stays in use"]);
    expect(errors()[0]?.fields.reason).toContain(reason);
  });

  test("is logged once, however often it is polled", async () => {
    replaceWith(damaged);
    for (let i = 0; i < 5; i++) await slot.poll();
    expect(errors()).toHaveLength(1);
  });

  test("is tried and logged again on a reload", async () => {
    replaceWith(damaged);
    await slot.poll();
    await slot.poll();
    await slot.reload();
    expect(errors()).toHaveLength(2);
  });

  test("is logged again when another bad file replaces it", async () => {
    replaceWith(damaged);
    await slot.poll();
    await slot.poll();
    replaceWith(damaged.subarray(0, -1));
    await slot.poll();
    await slot.poll();
    expect(errors()).toHaveLength(2);
  });

  test("is replaced by a valid one", async () => {
    replaceWith(damaged);
    await slot.reload();
    replaceWith(sampleCityDatabase("New"));
    await slot.poll();
    await slot.poll();
    expect(city()).toBe("New");
  });
});

describe("a file that vanished", () => {
  test("is logged once, and the loaded one stays", async () => {
    rmSync(path);
    for (let i = 0; i < 5; i++) await slot.poll();
    expect(city()).toBe("Old");
    expect(errors().map(({ fields }) => fields.reason)).toEqual([`cannot open ${path}: no such file`]);
  });

  test("is not logged if it is missing for a single poll", async () => {
    const bytes = sampleCityDatabase("New");
    rmSync(path);
    await slot.poll();
    writeFileSync(path, bytes);
    await slot.poll();
    await slot.poll();
    expect(city()).toBe("New");
    expect(errors()).toEqual([]);
  });
});

describe("lookups in a loaded database that turns out to be damaged", () => {
  // The check of a loaded database tries a sample, which hardly ever includes one narrow network among wide ones.
  const hidden = "128.0.0.1";
  function hardlyEverTried(): Buffer {
    const networks: [string, ReturnType<typeof asnRecord> | ReturnType<typeof cityRecord>][] = [
      ["0.0.0.0/1", cityRecord("Wide")],
    ];
    for (let bit = 2; bit <= 32; bit++) networks.push([`128.0.0.0/${bit}`, cityRecord(`Within ${bit}`)]);
    networks.push([`${hidden}/32`, asnRecord(1, "Damaged")]);
    const bytes = sampleDatabase({ networks });
    bytes[bytes.indexOf("Damaged") - 1] = 0x20;
    return bytes;
  }

  test("count as errors, and other lookups still work", async () => {
    replaceWith(hardlyEverTried());
    await slot.reload();
    expect(read(hidden).result).toBe("error");
    expect(read("1.2.3.4").result).toBe("hit");
  });

  test("are logged once for many", async () => {
    replaceWith(hardlyEverTried());
    await slot.reload();
    for (let i = 0; i < 100; i++) read(hidden);
    expect(errors().map(({ message }) => message)).toEqual(["database lookup failed"]);
    expect(errors()[0]?.fields.failures).toBe(1);
  });

  test("are logged again once per 10,000", async () => {
    replaceWith(hardlyEverTried());
    await slot.reload();
    for (let i = 0; i < 10_001; i++) read(hidden);
    expect(errors().map(({ fields }) => fields.failures)).toEqual([1, 10_001]);
  });

  test("are logged again for another database", async () => {
    for (let i = 0; i < 2; i++) {
      replaceWith(hardlyEverTried());
      await slot.reload();
      read(hidden);
    }
    expect(slot.generation).toBe(2);
    expect(errors().map(({ fields }) => fields.failures)).toEqual([1, 1]);
  });
});

describe("following the files", () => {
  test("replaced databases are found without a reload", async () => {
    const paths = { geoipDbPath: path, asnDbPath: undefined };
    const databases = await openDatabases({ ...paths, log, pollIntervalMs: 1 });
    replaceWith(sampleCityDatabase("New"));
    while (databases.generation === 0) await new Promise(setImmediate);
    expect(databases.lookup(address).place?.cityName).toBe("New");
    databases.close();
  });

  test("a reload loads the new files of both databases", async () => {
    const asnPath = join(folder, "asn.mmdb");
    const asn = (number: number) => sampleDatabase({ networks: [["81.0.0.0/8", asnRecord(number, "A")]] });
    writeFileSync(asnPath, asn(1));
    const options = { geoipDbPath: path, asnDbPath: asnPath, log };
    const databases = await openDatabases(options);
    replaceWith(sampleCityDatabase("New"));
    writeFileSync(asnPath, asn(2));
    await databases.reload();
    const { network, place } = databases.lookup(address);
    expect([network?.asNumber, place?.cityName]).toEqual([2, "New"]);
    expect(databases.generation).toBe(2);
    databases.close();
  });
});
