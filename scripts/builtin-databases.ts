/*
 * Makes the databases that the executable carries: `bun scripts/builtin-databases.ts` prints their paths as JSON.
 *
 * The sources are packages in node_modules, and the results are kept in node_modules/.cache. Nothing is downloaded, and the
 * same sources give the same bytes.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtinSources } from "../server/enrich/builtin/sources.ts";
import { networksOfRange } from "./mmdb/networks.ts";
import { networksIn } from "./mmdb/reader.ts";
import { DatabaseBuilder, type DatabaseMetadata } from "./mmdb/writer.ts";

const root = join(import.meta.dir, "..");
const packages = join(root, "node_modules/@ip-location-db");
const sourceFiles = {
  country: [join(packages, "geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb")],
  asn: [join(packages, "asn/asn-ipv4-num.csv"), join(packages, "asn/asn-ipv6-num.csv")],
};
/** What makes the bytes, apart from the sources. */
const programFiles = [
  "scripts/builtin-databases.ts",
  "server/enrich/builtin/sources.ts",
  ...["networks.ts", "reader.ts", "search-tree.ts", "values.ts", "writer.ts"].map(
    (name) => `scripts/mmdb/${name}`,
  ),
].map((path) => join(root, path));

export interface BuiltinPaths {
  readonly country: string;
  readonly asn: string;
}

/** Makes the files unless they are there. @throws Error if a package is not installed */
export function makeBuiltinDatabases(): BuiltinPaths {
  const missing = Object.values(sourceFiles)
    .flat()
    .find((path) => !existsSync(path));
  if (missing !== undefined) throw new Error(`${missing} is missing; run: bun install --frozen-lockfile`);
  return {
    country: cached("country", sourceFiles.country, countryDatabase),
    asn: cached("asn", sourceFiles.asn, asnDatabase),
  };
}

/** The path of a file that is made once for each content of its sources. */
function cached(
  name: keyof BuiltinPaths,
  sources: readonly string[],
  make: (sources: readonly string[]) => Uint8Array,
): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const path of [...programFiles, ...sources]) hash.update(readFileSync(path));
  const folder = join(root, "node_modules/.cache/loom", hash.digest("hex").slice(0, 16));
  const path = join(folder, `builtin-${name}.mmdb`);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    // Two processes may make it at the same time. Each renames a whole file.
    const unfinished = `${path}.${process.pid}`;
    writeFileSync(unfinished, make(sources));
    renameSync(unfinished, path);
  }
  return path;
}

export function countryDatabase([path = ""]: readonly string[]): Uint8Array {
  const builder = new DatabaseBuilder(metadataOf("country"));
  const records = new Map<string, { country_code: string }>();
  for (const [network, record] of networksIn(readFileSync(path))) {
    const code = (record as { country_code: string }).country_code;
    const known = records.get(code) ?? { country_code: code };
    records.set(code, known);
    builder.add(network, known);
  }
  return builder.toBytes();
}

export function asnDatabase(paths: readonly string[]): Uint8Array {
  const builder = new DatabaseBuilder(metadataOf("asn"));
  const records = new Map<string, ReturnType<typeof asnRecord>>();
  for (const path of paths) {
    for (const line of linesOf(readFileSync(path, "utf8"))) {
      const [, first = "", last = "", number = "", name = ""] = /^(\d+),(\d+),(\d+),(.*)$/.exec(line) ?? [];
      if (first === "") throw new Error(`${path}: cannot read the line ${JSON.stringify(line)}`);
      const key = `${number},${name}`;
      const record = records.get(key) ?? asnRecord(number, name);
      records.set(key, record);
      for (const network of networksOfRange(BigInt(first), BigInt(last))) builder.add(network, record);
    }
  }
  return builder.toBytes();
}

/** @param name as a field of CSV: in quotes if it has a comma or quotes, which are doubled */
function asnRecord(number: string, name: string) {
  return {
    autonomous_system_number: Number(number),
    autonomous_system_organization: name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name,
  };
}

function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    const next = end < 0 ? text.length : end;
    if (next > start) yield text.slice(start, next).trimEnd();
    start = next + 1;
  }
}

function metadataOf(name: keyof BuiltinPaths): DatabaseMetadata {
  const { type, builtAt, description } = builtinSources[name];
  return {
    type,
    ipVersion: 6,
    recordSize: 24,
    buildEpoch: builtAt.getTime() / 1000,
    languages: ["en"],
    description,
  };
}

if (import.meta.main) console.log(JSON.stringify(makeBuiltinDatabases()));
