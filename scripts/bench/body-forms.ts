/**
 * Compares the forms of a body: how many events a second Loom accepts at full load, and how much processor time an event costs.
 *   bun run bench:forms [rounds] [seconds a turn]
 * The batches are those of the ingest benchmark. All forms are measured in turn on this machine.
 */
import { benchBatch } from "./batches.ts";
import { median, sendAtFullLoad, show, startBenchLoom } from "./bench-loom.ts";
import { benchBody, bodyForms } from "./body-form.ts";

const rounds = Number(process.argv[2] ?? 5);
const secondsEach = Number(process.argv[3] ?? 3);

await using loom = await startBenchLoom({ hasDashboard: false });
const turns = new Map(bodyForms.map((form) => [form, [] as { rate: number; cpuMicroseconds: number }[]]));
for (let round = 0; round <= rounds; round++) {
  for (const form of bodyForms) {
    const cpuMs = loom.cpuMs();
    const { eventsPerSecond: rate } = await sendAtFullLoad(loom.url, secondsEach, { form });
    const cpuMicroseconds = ((loom.cpuMs() - cpuMs) * 1000) / (rate * secondsEach);
    // The first round only warms up.
    if (round > 0) turns.get(form)?.push({ rate, cpuMicroseconds });
  }
  console.error(round === 0 ? "warm-up" : `round ${round} of ${rounds}`);
}
const plain = benchBatch(500);
console.log("form      events/s   CPU µs an event   bytes of the array");
for (const [form, measured] of turns) {
  const rate = show(median(measured.map((turn) => turn.rate)));
  const cpu = median(measured.map((turn) => turn.cpuMicroseconds)).toFixed(2);
  const share = `${((100 * benchBody(plain, form).body.length) / plain.length).toFixed(0)} %`;
  console.log(`${form.padEnd(7)} ${rate.padStart(10)} ${cpu.padStart(17)} ${share.padStart(20)}`);
}
