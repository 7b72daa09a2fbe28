/**
 * Compares Loom with the floor (floor.ts), a Bun server that only parses. All are measured in turn on this machine; the
 * result is the number of events a second of each, its ratio to the floor, the processor time of an event, which other programs
 * on the machine change less, and Loom's memory.
 *   bun run bench [rounds] [seconds a turn]
 * The load is batches of 500 captured events (batches.ts), 1.1 KB each on average. stdout is /dev/null. The rows differ in the
 * database of places and in the share of events that come from new addresses (workload.ts).
 */
import { join } from "node:path";
import { cpuMsOf, linesOf, median, sendAtFullLoad, show, startBenchLoom } from "./bench-loom.ts";
import { madeCityPath } from "./made-city.ts";
import { everyAddressNew, usualAddresses, type Workload } from "./workload.ts";

const rounds = Number(process.argv[2] ?? 5);
const secondsEach = Number(process.argv[3] ?? 3);

interface Server {
  readonly url: string;
  cpuMs(): number;
}

interface Turn {
  readonly eventsPerSecond: number;
  readonly cpuMicroseconds: number;
  /** The sender's. */
  readonly coreShare: number;
}

interface Row {
  readonly name: string;
  readonly server: Server;
  readonly workload: Workload;
  readonly turns: Turn[];
}

const floor = Bun.spawn([process.execPath, join(import.meta.dir, "floor.ts")], {
  stdout: "pipe",
  stderr: "inherit",
});
await using withCountries = await startBenchLoom({ hasDashboard: false });
await using withCities = await startBenchLoom({ hasDashboard: false, geoipDbPath: madeCityPath() });
try {
  const url = `http://127.0.0.1:${await firstLine(floor.stdout)}`;
  const floorRow = rowOf("floor", { url, cpuMs: () => cpuMsOf(floor.pid) }, usualAddresses);
  const rows = [
    floorRow,
    rowOf("Loom, countries, 2 % new addresses", withCountries, usualAddresses),
    rowOf("Loom, cities, 2 % new addresses", withCities, usualAddresses),
    rowOf("Loom, cities, all new, 48,000 in turn", withCities, everyAddressNew(48_000)),
    rowOf("Loom, cities, all new, 1,000,000 in turn", withCities, everyAddressNew(1_000_000)),
  ];
  for (let round = 0; round <= rounds; round++) {
    for (const { server, workload, turns } of rows) {
      const turn = await measure(server, workload);
      // The first round only warms up the servers.
      if (round > 0) turns.push(turn);
    }
    console.error(round === 0 ? "warm-up" : `round ${round} of ${rounds}`);
  }
  console.log(`${"".padEnd(42)} events/s   ratio   CPU µs an event   sender's share of a core`);
  for (const { name, turns } of rows) {
    const rate = show(median(turns.map((turn) => turn.eventsPerSecond)));
    const ratios = turns.map((turn, i) => turn.eventsPerSecond / (floorRow.turns[i]?.eventsPerSecond ?? 0));
    const cpu = median(turns.map(({ cpuMicroseconds }) => cpuMicroseconds)).toFixed(2);
    const share = median(turns.map(({ coreShare }) => coreShare)).toFixed(2);
    const columns = [
      rate.padStart(8),
      median(ratios).toFixed(2).padStart(7),
      cpu.padStart(17),
      share.padStart(12),
    ];
    console.log(`${name.padEnd(42)} ${columns.join(" ")}`);
  }
  const [countries, cities] = [withCountries, withCities].map((loom) => show(loom.memoryBytes() / 1e6));
  console.log(`memory: ${countries} MB with countries, ${cities} MB with cities`);
} finally {
  floor.kill();
}

function rowOf(name: string, server: Server, workload: Workload): Row {
  return { name, server, workload, turns: [] };
}

async function measure(server: Server, workload: Workload): Promise<Turn> {
  const cpuMsBefore = server.cpuMs();
  const { eventsPerSecond, events, coreShare } = await sendAtFullLoad(server.url, secondsEach, { workload });
  return { eventsPerSecond, coreShare, cpuMicroseconds: ((server.cpuMs() - cpuMsBefore) * 1000) / events };
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  for await (const line of linesOf(stream)) return line;
  throw new Error("no line");
}
