/**
 * Compares Loom with the floor (floor.ts), a Bun server that only parses. Both are measured in turn on this machine; the
 * result is the number of events a second of each, and the ratio.
 *   bun run bench [rounds] [seconds a turn]
 * The load is batches of 500 captured events (batches.ts), 1.1 KB each on average. Both databases are in use, and stdout is
 * /dev/null.
 */
import { join } from "node:path";
import { eventsPerSecond, linesOf, median, show, startBenchLoom } from "./bench-loom.ts";

const rounds = Number(process.argv[2] ?? 5);
const secondsEach = Number(process.argv[3] ?? 3);

const floor = Bun.spawn([process.execPath, join(import.meta.dir, "floor.ts")], {
  stdout: "pipe",
  stderr: "inherit",
});
await using loom = await startBenchLoom({ hasDashboard: false });
try {
  const floorUrl = `http://127.0.0.1:${await firstLine(floor.stdout)}`;
  const turns: { floor: number; loom: number }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const turn = {
      floor: await eventsPerSecond(floorUrl, secondsEach),
      loom: await eventsPerSecond(loom.url, secondsEach),
    };
    // The first round only warms up both servers.
    if (round > 0) turns.push(turn);
    console.error(
      `${round === 0 ? "warm-up" : `round ${round}`}: floor ${show(turn.floor)}, Loom ${show(turn.loom)} events/s`,
    );
  }
  const ratio = median(turns.map((turn) => turn.loom / turn.floor));
  console.log(`floor ${show(median(turns.map((turn) => turn.floor)))} events/s`);
  console.log(`Loom  ${show(median(turns.map((turn) => turn.loom)))} events/s`);
  console.log(`ratio ${ratio.toFixed(2)} (median of ${rounds} rounds)`);
} finally {
  floor.kill();
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  for await (const line of linesOf(stream)) return line;
  throw new Error("no line");
}
