/**
 * Measures what 20 viewers of the live tail cost.
 *   bun run bench:viewers [rounds] [seconds of steady load]
 * 1. At full load: events a second with and without viewers, in turn, and events a second of a Loom without a management port.
 * 2. At 5,000 events a second: processor time and answer times with and without viewers, and memory over time with viewers.
 * Eight of the 20 viewers have a query, four of them one for text, and two never read. Exits with status 1 if the viewers
 * reduce the ingest rate by 10 % or more, or if memory grows.
 */
import { join } from "node:path";
import { benchAdminToken, benchToken, median, sendAtFullLoad, show, startBenchLoom } from "./bench-loom.ts";

const rounds = Number(process.argv[2] ?? 7);
const steadySeconds = Number(process.argv[3] ?? 60);
const secondsEach = 3;
const steadyEventsPerSecond = 5_000;
const maxCost = 0.1;
/**
 * How much memory may grow from the first half of the steady load to the second. Garbage collection makes it vary by about
 * 12 MB; events that are never released would add 5.5 MB a second.
 */
const maxGrowthBytes = 32 * 1024 * 1024;

const queries = [
  ...Array<string>(10).fill(""),
  "?q=port:23",
  "?q=port:80",
  "?q=country:GB",
  "?q=as:64496",
  "?q=mozilla",
  "?q=hello",
  "?q=login",
  "?q=nobody-sends-this",
];
const stuck = ["", ""];

await using loom = await startBenchLoom({ hasDashboard: true });
await using plain = await startBenchLoom({ hasDashboard: false });
const session = await signIn(loom.managementUrl ?? "");

const turns: { plain: number; alone: number; watched: number }[] = [];
for (let round = 0; round <= rounds; round++) {
  const turn = {
    plain: await rateAt(plain.url),
    alone: await rateAt(loom.url),
    watched: await withViewers(() => rateAt(loom.url)),
  };
  if (round > 0) turns.push(turn);
  console.error(
    `${round === 0 ? "warm-up" : `round ${round}`}: no dashboard ${show(turn.plain)}, no viewer ${show(turn.alone)}, 20 viewers ${show(turn.watched)} events/s`,
  );
}
const viewersCost = 1 - median(turns.map(({ watched, alone }) => watched / alone));
const allCost = 1 - median(turns.map(({ watched, plain: without }) => watched / without));
console.log(`full load, 20 viewers against none: ingest loses ${percent(viewersCost)} of its rate`);
console.log(`full load, 20 viewers against no dashboard at all: ${percent(allCost)}`);

const alone = await steady();
const memory: number[] = [];
const sampling = setInterval(() => memory.push(loom.memoryBytes()), 1_000);
const watched = await withViewers(steady);
clearInterval(sampling);
const half = Math.floor(memory.length / 2);
// In the first seconds, memory from the full load is still being released.
const firstHalf = median(memory.slice(Math.floor(half / 3), half));
const secondHalf = median(memory.slice(half));
const growth = secondHalf - firstHalf;
console.log(
  `5,000 events/s: ${percent(alone.cpuShare)} of a core without viewers, ${percent(watched.cpuShare)} with 20; answers p99 ${alone.p99Ms.toFixed(1)} ms and ${watched.p99Ms.toFixed(1)} ms`,
);
console.log(
  `memory with 20 viewers: ${show(firstHalf / 1e6)} MB in the first half, ${show(secondHalf / 1e6)} MB in the second`,
);

const isCheap = viewersCost < maxCost && watched.refused === 0;
const isFlat = growth < maxGrowthBytes;
if (!isCheap) console.log(`the viewers cost too much: at most ${percent(maxCost)} is allowed`);
if (!isFlat) console.log("memory grows: something is not released");
process.exitCode = isCheap && isFlat ? 0 : 1;

async function rateAt(url: string): Promise<number> {
  return (await sendAtFullLoad(url, secondsEach)).eventsPerSecond;
}

async function withViewers<Result>(doing: () => Promise<Result>): Promise<Result> {
  const viewers = Bun.spawn(
    [
      process.execPath,
      join(import.meta.dir, "viewers-client.ts"),
      loom.managementUrl ?? "",
      session,
      JSON.stringify({ queries, stuck }),
    ],
    { stdout: "pipe", stderr: "inherit" },
  );
  const { done } = await viewers.stdout.getReader().read();
  if (done) throw new Error("the server did not accept all viewers");
  try {
    const result = await doing();
    if (viewers.exitCode !== null) throw new Error("a viewer was disconnected");
    return result;
  } finally {
    viewers.kill();
    await viewers.exited;
  }
}

async function steady() {
  const command = [process.execPath, join(import.meta.dir, "steady-load.ts"), loom.url, benchToken];
  const cpuBefore = loom.cpuMs();
  const load = Bun.spawn([...command, String(steadyEventsPerSecond), String(steadySeconds)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const result: { p99Ms: number; refused: number; seconds: number } = JSON.parse(
    await new Response(load.stdout).text(),
  );
  return { ...result, cpuShare: (loom.cpuMs() - cpuBefore) / 1000 / result.seconds };
}

async function signIn(managementUrl: string): Promise<string> {
  const response = await fetch(`${managementUrl}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: benchAdminToken }),
  });
  const [cookie] = response.headers.getSetCookie();
  if (cookie === undefined) throw new Error(`cannot sign in: ${response.status}`);
  return cookie.slice(0, cookie.indexOf(";"));
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
