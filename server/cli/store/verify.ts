import { setImmediate } from "node:timers/promises";
import { createDescriptorWriter } from "../../descriptor-writer.ts";
import { type Damage, type VerifiedFile, verifyFile } from "../../store/inspect/verify-file.ts";
import { listFiles } from "../../store/store-directory.ts";
import { parseArguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import { ProgressLine } from "../progress-line.ts";
import { configFlag } from "../run.ts";
import { configuredStore } from "./configured-store.ts";

/** How long the check computes before the progress line can be written. */
const turnMs = 100;

/** `loom store verify`. It only reads, also beside the Loom that writes the store. */
export const verify: Command = {
  name: "verify",
  usage: [
    {
      synopsis: "loom store verify -config loom.toml",
      summary: "read everything in the store and list what is damaged; exit with status 1 if anything is",
    },
  ],
  async run(args) {
    const { values } = parseArguments(args, configFlag);
    const { location } = await configuredStore(values.config);
    const isIntact = await verifyStore(location.dir);
    process.exit(isIntact ? 0 : 1);
  },
};

async function verifyStore(dir: string): Promise<boolean> {
  const writer = createDescriptorWriter(1);
  const progress = new ProgressLine({ title: "verifying", isTitleLogged: false });
  const files = listFiles(dir);
  const total = { rows: 0, damages: 0 };
  for (const [i, name] of files.entries()) {
    const verified = await verifyInTurns(verifyFile(dir, name), (share) =>
      progress.show(() => `${name.name}, ${Math.floor((100 * (i + share)) / files.length)} %`),
    );
    await progress.clear();
    total.rows += verified.rows;
    total.damages += verified.damage.length;
    const lines = verified.damage.map((damage) => `${name.name}: ${describe(damage)}\n`);
    if (verified.skipped !== undefined) lines.push(`${name.name}: not verified: ${verified.skipped}\n`);
    await writer.write(Buffer.from(lines.join("")));
  }
  const found =
    total.damages === 0
      ? "nothing is damaged"
      : `${total.damages} ${total.damages === 1 ? "part is" : "parts are"} damaged`;
  await writer.write(Buffer.from(`${files.length} files with ${total.rows} events: ${found}\n`));
  return total.damages === 0;
}

async function verifyInTurns(
  steps: Generator<number, VerifiedFile>,
  onProgress: (share: number) => void,
): Promise<VerifiedFile> {
  for (let start = performance.now(); ; ) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() - start < turnMs) continue;
    onProgress(step.value);
    await setImmediate();
    start = performance.now();
  }
}

function describe({ kind, rows, reason }: Damage): string {
  const place = rows ? ` of rows ${rows.first} to ${rows.first + rows.count - 1} (${rows.count})` : "";
  return `${kind}${place}: ${reason}`;
}
