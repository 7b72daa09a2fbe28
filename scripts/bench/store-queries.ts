import { existsSync, statSync } from "node:fs";
import { addressKey, networkKeys } from "../../server/address-key.ts";
import type { HistoryReader } from "../../server/history/history-reader.ts";
import { StoreHistory } from "../../server/history/store-history.ts";
import { parseNetwork } from "../../server/network.ts";
import type { Query, QueryTerm, ValuePattern } from "../../server/query/query.ts";
import { StoreWriter } from "../../server/store/store-writer.ts";
import { addressOfSource, rareText, storeEvents } from "./store-events.ts";

/*
 * Measures queries about a store: `bun scripts/bench/store-queries.ts DIR [EVENTS]`. A directory without a store is filled
 * first, with 2,000,000 events of 20 days if not told otherwise. Each query is run once cold (as far as the worker is
 * concerned) and then five times; the fastest and the median are shown, and the memory of the whole process.
 */

const day = 86_400_000;
const days = 20;
const end = Date.UTC(2026, 10, 21);
const perDelivery = 5_000;
const repetitions = 5;

const [dir = "", countText = "2000000"] = process.argv.slice(2);
if (dir === "") throw new Error("usage: bun scripts/bench/store-queries.ts DIR [EVENTS]");
if (!existsSync(dir)) fill(dir, Number(countText));

const history = process.argv.includes("-in-thread") ? StoreHistory.inThread(dir) : StoreHistory.inWorker(dir);
// Without it, Bun polls for the answers of the worker, which costs a second CPU.
const keepAlive = setInterval(() => {}, 1_000);
await measureAll(history);
clearInterval(keepAlive);
await history.close();

function fill(directory: string, count: number): void {
  const writer = StoreWriter.open({ dir: directory, maxBytes: 1e12, maxDays: 365, note: console.log });
  const start = performance.now();
  let bytes = 0;
  let delivery: Parameters<StoreWriter["append"]>[1][number][] = [];
  for (const event of storeEvents(count, end - days * day, days * day)) {
    bytes += event.document.length;
    delivery.push(event);
    if (delivery.length < perDelivery && event.sequence < count) continue;
    writer.append("bench", delivery);
    delivery = [];
  }
  const { sizeBytes } = writer.report;
  writer.close();
  const us = ((performance.now() - start) / count) * 1000;
  console.log(
    `${count} events of ${(bytes / count).toFixed(0)} B: ${(sizeBytes / count).toFixed(0)} B each in the store, ${us.toFixed(1)} us each with generating them`,
  );
}

function query(terms: readonly QueryTerm[], since?: number): Query {
  return { terms, since, until: undefined };
}

function column(name: "ip" | "port" | "country" | "sensor", value: ValuePattern): QueryTerm {
  return { kind: "column", column: name, isExcluded: false, values: [value] };
}

function text(needle: string): QueryTerm {
  return { kind: "text", isExcluded: false, text: needle };
}

function network(cidr: string): ValuePattern {
  const parsed = parseNetwork(cidr);
  if (parsed.kind === "refused") throw new Error(parsed.refusal);
  return { kind: "network", ...networkKeys(parsed.value) };
}

async function measureAll(reader: HistoryReader): Promise<void> {
  const rare = column("ip", { kind: "exact", value: addressKey(addressOfSource(119_999)) ?? "" });
  const port = column("port", { kind: "exact", value: 22 });
  const country = column("country", { kind: "exact", value: "CN" });
  const page = { limit: 100 };
  const cases: readonly [string, () => Promise<object>][] = [
    ["last 100", () => reader.events(query([]), page)],
    ["a rare address, events", () => reader.events(query([rare]), page)],
    ["a /16, count", () => reader.count(query([column("ip", network("185.220.0.0/16"))]))],
    ["top country", () => reader.top(query([]), "country", 10)],
    ["top port", () => reader.top(query([]), "port", 10)],
    ["top ASN", () => reader.top(query([]), "asn", 10)],
    ["top address", () => reader.top(query([]), "ip", 10)],
    ["top address with a filter", () => reader.top(query([port]), "ip", 10)],
    ["top user agent", () => reader.top(query([]), "user_agent", 10)],
    ["count with one filter", () => reader.count(query([port]))],
    [
      "hourly histogram with two filters",
      () =>
        reader.histogram(query([port, country]), { from: end - days * day, to: end, intervalMs: 3_600_000 }),
    ],
    ["rare text, events", () => reader.events(query([text(rareText)]), page)],
    ["text without a hit", () => reader.count(query([text("no such thing anywhere")]))],
    ["newest 100 of a common text", () => reader.events(query([text("mozilla")]), page)],
    [
      "all filters over 7 days",
      () =>
        reader.count(
          query(
            [
              column("ip", network("128.0.0.0/1")),
              port,
              country,
              column("sensor", { kind: "wildcard", pattern: "vps-1*" }),
              text("wp-login"),
            ],
            end - 7 * day,
          ),
        ),
    ],
    ["coverage", () => reader.coverage()],
  ];
  for (const [name, ask] of cases) await measure(name, ask);
  let bytes = 0;
  const start = performance.now();
  for await (const piece of reader.export(query([port])))
    for (const { document } of piece) bytes += document.length;
  const seconds = (performance.now() - start) / 1000;
  console.log(`export with a filter: ${(bytes / 1e6 / seconds).toFixed(0)} MB/s, ${seconds.toFixed(1)} s`);
  console.log(`peak memory of the process: ${peakMb()} MB`);
}

async function measure(name: string, ask: () => Promise<object>): Promise<void> {
  const times: number[] = [];
  const cpuTimes: number[] = [];
  let answer: object = {};
  for (let i = 0; i <= repetitions; i++) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    answer = await ask();
    times.push(performance.now() - start);
    const { user, system } = process.cpuUsage(cpu);
    cpuTimes.push((user + system) / 1000);
  }
  const [cold = 0, ...warm] = times;
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  const found =
    "events" in answer ? (Array.isArray(answer.events) ? answer.events.length : answer.events) : "";
  console.log(
    `${name.padEnd(36)} first ${cold.toFixed(0).padStart(5)} ms, then ${Math.min(...warm)
      .toFixed(0)
      .padStart(
        5,
      )} to ${median(warm).toFixed(0).padStart(5)} ms, CPU ${median(cpuTimes.slice(1)).toFixed(0).padStart(5)} ms, RSS ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB  ${found}`,
  );
}

/** Since the start, from Linux. */
function peakMb(): string {
  const status = statSync("/proc/self/status", { throwIfNoEntry: false });
  return status ? (process.resourceUsage().maxRSS / 1e3).toFixed(0) : "?";
}
