import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type StoreEvent, StoreWriter } from "../../server/store/store-writer.ts";
import { storeEvents } from "./store-events.ts";

/*
 * Measures what the writer of the store costs, for small and large deliveries: processor time, size on disk and memory.
 * `bun scripts/bench/store-writes.ts [EVENTS]`; 200,000 events of four days if not told otherwise. The processor time of
 * gzip -1 for the same bytes is shown to compare machines.
 */

const newline = Buffer.from("\n");
const day = 86_400_000;
const days = 4;
const from = Date.UTC(2026, 10, 21);
const eventCount = Number(process.argv[2] ?? 200_000);
const sampleSize = 20_000;
const deliverySizes = [200, 5_000];

measureGzip();
for (const size of deliverySizes) measure(size);

function measure(deliverySize: number): void {
  const dir = mkdtempSync(join(tmpdir(), "loom-bench-"));
  const options = { dir, maxBytes: 1e12, maxDays: 36_500, note: console.error };
  const writer = StoreWriter.open(options);
  const totals = { user: 0, system: 0, documentBytes: 0 };
  for (const delivery of deliveries(deliverySize)) {
    const before = process.cpuUsage();
    writer.append("bench", delivery);
    const { user, system } = process.cpuUsage(before);
    totals.user += user;
    totals.system += system;
    totals.documentBytes += delivery.reduce((sum, { document }) => sum + document.length, 0);
  }
  writer.close();
  const reopened = StoreWriter.open(options);
  const { sizeBytes } = reopened.report;
  reopened.close();
  rmSync(dir, { recursive: true });
  console.log(
    `deliveries of ${deliverySize}: ${perEvent(totals.user + totals.system)} µs an event (${perEvent(totals.system)} in the kernel), ` +
      `${perEvent(totals.documentBytes)} bytes become ${perEvent(sizeBytes)}, peak of the process ${peakMebi()} MiB`,
  );
}

function* deliveries(size: number): Generator<StoreEvent[]> {
  let delivery: StoreEvent[] = [];
  for (const event of storeEvents(eventCount, from, days * day)) {
    delivery.push(event);
    if (delivery.length < size && event.sequence < eventCount) continue;
    yield delivery;
    delivery = [];
  }
}

function measureGzip(): void {
  const sample = Buffer.concat(
    [...storeEvents(sampleSize, from, day)].flatMap(({ document }) => [document, newline]),
  );
  const before = process.cpuUsage();
  const compressed = gzipSync(sample, { level: 1 });
  const { user, system } = process.cpuUsage(before);
  const microseconds = ((user + system) / sampleSize).toFixed(1);
  console.log(`gzip -1: ${microseconds} µs an event, ${(compressed.length / sampleSize).toFixed(0)} bytes`);
}

function perEvent(value: number): string {
  return (value / eventCount).toFixed(1);
}

/** Physical memory, with that of making the events. */
function peakMebi(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
}
