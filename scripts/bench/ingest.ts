/**
 * Compares Loom with the floor (floor.ts), a Bun server that only parses. All are measured in turn on this machine; the
 * result is the number of events a second of each, the ratio to the floor, and Loom's memory.
 *   bun run bench [rounds] [seconds a turn]
 * The load is batches of 500 captured events (batches.ts), 1.1 KB each on average. stdout is /dev/null. The rows differ in the
 * database of places and in the share of events that come from new addresses (workload.ts).
 */
import { join } from "node:path";
import { type LoadResult, linesOf, median, sendAtFullLoad, show, startBenchLoom } from "./bench-loom.ts";
import { madeCityPath } from "./made-city.ts";
import { everyAddressNew, usualAddresses, type Workload } from "./workload.ts";

const rounds = Number(process.argv[2] ?? 5);
const secondsEach = Number(process.argv[3] ?? 3);

interface Row {
  readonly name: string;
  readonly url: string;
  readonly workload: Workload;
  readonly turns: LoadResult[];
}

const floor = Bun.spawn([process.execPath, join(import.meta.dir, "floor.ts")], {
  stdout: "pipe",
  stderr: "inherit",
});
await using withCountries = await startBenchLoom({ hasDashboard: false });
await using withCities = await startBenchLoom({ hasDashboard: false, geoipDbPath: madeCityPath() });
try {
  const floorRow = rowOf("floor", `http://127.0.0.1:${await firstLine(floor.stdout)}`, usualAddresses);
  const rows = [
    floorRow,
    rowOf("Loom, countries, 2 % new addresses", withCountries.url, usualAddresses),
    rowOf("Loom, cities, 2 % new addresses", withCities.url, usualAddresses),
    rowOf("Loom, cities, all new, 48,000 in turn", withCities.url, everyAddressNew(48_000)),
    rowOf("Loom, cities, all new, 1,000,000 in turn", withCities.url, everyAddressNew(1_000_000)),
  ];
  for (let round = 0; round <= rounds; round++) {
    for (const { url, workload, turns } of rows) {
      const turn = await sendAtFullLoad(url, secondsEach, { workload });
      // The first round only warms up the servers.
      if (round > 0) turns.push(turn);
    }
    console.error(round === 0 ? "warm-up" : `round ${round} of ${rounds}`);
  }
  console.log(`${"".padEnd(42)} events/s   ratio   sender's share of a core`);
  for (const { name, turns } of rows) {
    const rate = show(median(turns.map((turn) => turn.eventsPerSecond)));
    const ratios = turns.map((turn, i) => turn.eventsPerSecond / (floorRow.turns[i]?.eventsPerSecond ?? 0));
    const share = median(turns.map(({ coreShare }) => coreShare));
    console.log(
      `${name.padEnd(42)} ${rate.padStart(8)} ${median(ratios).toFixed(2).padStart(7)} ${share.toFixed(2).padStart(10)}`,
    );
  }
  const [countries, cities] = [withCountries, withCities].map((loom) => show(loom.memoryBytes() / 1e6));
  console.log(`memory: ${countries} MB with countries, ${cities} MB with cities`);
} finally {
  floor.kill();
}

function rowOf(name: string, url: string, workload: Workload): Row {
  return { name, url, workload, turns: [] };
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  for await (const line of linesOf(stream)) return line;
  throw new Error("no line");
}
