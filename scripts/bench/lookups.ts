/**
 * Measures the processor time of enrichment for each event whose address was never seen before, and for addresses in the cache, without
 * the network, the scanner of batches and the output.
 *   bun scripts/bench/lookups.ts [rounds] [file of a City database]
 * Without a file, a made City database is used (made-city.ts). The networks are always the built-in ones.
 */
import { openDatabases } from "../../server/enrich/databases.ts";
import { Enricher } from "../../server/enrich/enricher.ts";
import { KnownScanners } from "../../server/enrich/known-scanners.ts";
import { scanBatch } from "../../server/ingest/batch-scanner.ts";
import { makeBuiltinDatabases } from "../builtin-databases.ts";
import { publicAddresses } from "./addresses.ts";
import { median } from "./bench-loom.ts";
import { madeCityPath } from "./made-city.ts";

const rounds = Number(process.argv[2] ?? 20);
const cityPath = process.argv[3] ?? madeCityPath();
const addressesEach = 15_000;
const eventsPerBatch = 500;

const { country, asn } = makeBuiltinDatabases();
console.log("databases           never seen    in the cache");
await measure("City and networks", cityPath);
await measure("built in", country);

async function measure(name: string, geoipDbPath: string): Promise<void> {
  const log = { info: () => {}, error: console.error };
  const databases = await openDatabases({ geoipDbPath, asnDbPath: asn, log });
  const enricher = new Enricher({ databases, reverseDns: undefined, scanners: new KnownScanners() });
  const addresses = publicAddresses();
  const never: number[] = [];
  const cached: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const batches = Array.from({ length: addressesEach / eventsPerBatch }, () => batchOf(addresses));
    never.push(microsecondsEach(enricher, batches));
    cached.push(microsecondsEach(enricher, batches));
  }
  databases.close();
  const columns = [never, cached].map((measured) => `${median(measured).toFixed(2)} µs`.padStart(16));
  console.log(name.padEnd(18) + columns.join(""));
}

type ScannedBatch = ReturnType<typeof batchOf>;

function batchOf(addresses: Generator<string>) {
  const events = Array.from(
    { length: eventsPerBatch },
    () => `{"source":{"ip":${JSON.stringify(addresses.next().value)}}}`,
  );
  const body = Buffer.from(`[${events.join(",")}]`);
  const scanned = scanBatch(body, { maxEventsPerBatch: eventsPerBatch, maxEventSizeBytes: body.length });
  if (scanned.kind === "refused") throw new Error("BUG: the batch is not valid");
  return { body, events: scanned.value };
}

/** The processor time of an event, including the collector's threads: other programs on the machine do not change it. */
function microsecondsEach(enricher: Enricher, batches: readonly ScannedBatch[]): number {
  const before = process.cpuUsage();
  for (const { body, events } of batches) void enricher.enrich(body, events);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / addressesEach;
}
