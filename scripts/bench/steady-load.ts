/**
 * Sends batches of 50 events at a constant rate, independent of how long the answers take.
 *   bun scripts/bench/steady-load.ts URL TOKEN EVENTS_PER_SECOND SECONDS
 * Prints the answer times and the number of refused batches as JSON.
 */
import { benchBatch } from "./batches.ts";

const [url = "", token = "", perSecondText = "", secondsText = ""] = process.argv.slice(2);
const eventsPerBatch = 50;
const batchesPerSecond = Number(perSecondText) / eventsPerBatch;
const seconds = Number(secondsText);
const bodies = Array.from({ length: 16 }, () => benchBatch(eventsPerBatch));
const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
const answerMs: number[] = [];
let refused = 0;

async function sendBatch(index: number): Promise<void> {
  const startedAt = performance.now();
  const body = bodies[index % bodies.length] ?? "";
  const response = await fetch(`${url}/api/v1/ingest`, { method: "POST", headers, body });
  answerMs.push(performance.now() - startedAt);
  if (response.status !== 204) refused++;
}

const startedAt = performance.now();
const pending = new Set<Promise<void>>();
for (let index = 0; index < batchesPerSecond * seconds; index++) {
  const dueMs = (index / batchesPerSecond) * 1000 - (performance.now() - startedAt);
  if (dueMs > 0) await Bun.sleep(dueMs);
  const sending = sendBatch(index);
  pending.add(sending);
  void sending.finally(() => pending.delete(sending));
}
await Promise.all(pending);
answerMs.sort((a, b) => a - b);
const at = (share: number) => answerMs[Math.floor(answerMs.length * share)] ?? 0;
console.log(
  JSON.stringify({
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    refused,
    seconds: (performance.now() - startedAt) / 1000,
  }),
);
