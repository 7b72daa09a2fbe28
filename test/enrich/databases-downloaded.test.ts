import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AddressDatabases,
  type DatabasesOptions,
  openDatabases,
} from "../../server/enrich/databases.ts";
import { sampleCityDatabase } from "../mmdb/samples.ts";
import { recordingLog } from "../support/log.ts";
import { until } from "../support/until.ts";

const address = "81.2.69.160";
let folder: string;
let path: string;
let databases: AddressDatabases;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "loom-downloaded-"));
  path = join(folder, "city.mmdb");
});

afterEach(() => {
  databases?.close();
  rmSync(folder, { recursive: true });
});

async function open(options: Partial<DatabasesOptions> = {}) {
  const log = recordingLog();
  databases = await openDatabases({
    geoipDbPath: path,
    asnDbPath: undefined,
    downloaded: ["geoip"],
    pollIntervalMs: 5,
    log,
    ...options,
  });
  return { databases, log };
}

describe("a file that is not downloaded yet", () => {
  test("does not stop the start, and finds no place without built-in databases", async () => {
    const { databases } = await open();
    expect(databases.lookup(address).place).toBeUndefined();
    expect(databases.describe()).toEqual([]);
  });

  test("is replaced by the built-in database of countries", async () => {
    const { databases } = await open({ builtinDatabases: true });
    expect(databases.lookup("8.8.8.8").place?.countryIsoCode).toBe("US");
    expect(databases.describe().find(({ role }) => role === "geoip")).toMatchObject({
      isBuiltin: true,
      path: "built in",
    });
  });

  test("is used when it is in place", async () => {
    const { databases, log } = await open();
    writeFileSync(path, sampleCityDatabase("London"));
    await until("the place", () => databases.lookup(address).place !== undefined);
    expect(databases.describe()).toMatchObject([{ path, isBuiltin: false, type: "GeoLite2-City" }]);
    expect(databases.generation).toBe(1);
    expect(log.lines.map(({ message }) => message)).toEqual([
      "the database is not downloaded yet; until then only a built-in one is used",
      "database loaded",
    ]);
  });

  test("is used at once on a reload", async () => {
    const { databases } = await open({ pollIntervalMs: 1_000_000 });
    writeFileSync(path, sampleCityDatabase("London"));
    await databases.reload();
    expect(databases.lookup(address).place?.cityName).toBe("London");
  });

  test("is refused if it is damaged, and the built-in database stays in use", async () => {
    const { databases, log } = await open({ builtinDatabases: true });
    writeFileSync(path, "damaged");
    await databases.reload();
    expect(databases.lookup("8.8.8.8").place?.countryIsoCode).toBe("US");
    expect(log.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  });
});

test("a file that is damaged at the start stops the start, because somebody has to know", async () => {
  writeFileSync(path, "damaged");
  await expect(open()).rejects.toThrow(`enrichment: geoip_db_path: cannot open ${path}: `);
});

test("a file of the other role that is missing stops the start", async () => {
  await expect(open({ asnDbPath: join(folder, "asn.mmdb") })).rejects.toThrow("enrichment: asn_db_path: ");
});
