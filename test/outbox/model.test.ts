import { expect, test } from "bun:test";
import { CannotKeep, type EnrichedBatch, type StoredBatch } from "../../server/pipeline.ts";
import { createRandom, type Random } from "../support/random.ts";
import { createMemoryDisk, type Fault, type MemoryDisk } from "./memory-disk.ts";
import { batchOf, openTestOutbox } from "./outboxes.ts";

/*
 * Random appends, deliveries, disk faults, restarts and crashes, held against what must be true of any outbox:
 * - every event whose append resolved comes to every output, in the order of the appends, until it is acknowledged;
 * - no event whose append was refused comes, save after a crash that followed (its bytes may be on the disk);
 * - no event comes again after its acknowledgement resolved;
 * - a sequence number that was handed out means the same event for ever;
 * - a batch that was handed out comes again with the same borders until it is acknowledged.
 * LOOM_MODEL_RUNS is the number of seeds, LOOM_MODEL_SEED the first of them.
 */
const runs = Number(process.env.LOOM_MODEL_RUNS ?? 60);
const firstSeed = Number(process.env.LOOM_MODEL_SEED ?? 1);
const stepsPerRun = 120;
const dir = "/outbox";
const outputs = ["clickhouse", "elasticsearch"];

type Fate = "kept" | "refused" | "unknown";
type Opened = Awaited<ReturnType<typeof openTestOutbox>>;

interface OutputModel {
  /** Events whose acknowledgement resolved. */
  readonly acknowledged: Set<string>;
  /** Handed out, not acknowledged. */
  inFlight: StoredBatch | undefined;
}

class Model {
  /** In the order in which they were appended. */
  readonly fates = new Map<string, Fate>();
  readonly meaning = new Map<number, string>();
  readonly outputs = new Map<string, OutputModel>(
    outputs.map((output) => [output, { acknowledged: new Set(), inFlight: undefined }]),
  );

  of(output: string): OutputModel {
    const model = this.outputs.get(output);
    if (!model) throw new Error(`no model of ${output}`);
    return model;
  }

  check(output: string, batch: StoredBatch): void {
    const { acknowledged, inFlight } = this.of(output);
    let before = 0;
    for (const { sequence, document } of batch.events) {
      const text = document.toString();
      if (sequence <= before) throw new Error(`sequence ${sequence} after ${before}`);
      before = sequence;
      const meant = this.meaning.get(sequence) ?? text;
      if (meant !== text) throw new Error(`sequence ${sequence} was ${meant} and is now ${text}`);
      this.meaning.set(sequence, text);
      if (acknowledged.has(text)) throw new Error(`${text} came again to ${output}`);
      if (this.fates.get(text) === "refused") throw new Error(`${text} was refused and came to ${output}`);
    }
    if (inFlight && JSON.stringify(inFlight) !== JSON.stringify(batch))
      throw new Error(`the batch ${inFlight.firstSequence}-${inFlight.lastSequence} came with other borders`);
    const expected = [...this.fates].filter(([text, fate]) => fate === "kept" && !acknowledged.has(text));
    const first = expected[0]?.[0];
    const kept = batch.events
      .map(({ document }) => document.toString())
      .filter((text) => this.fates.get(text) === "kept");
    if (kept.length > 0) expect(kept).toEqual(expected.slice(0, kept.length).map(([text]) => text));
    else if (first === undefined && batch.events.length === 0) throw new Error("an empty batch");
  }
}

for (let seed = firstSeed; seed < firstSeed + runs; seed++)
  test(`no event is lost, changed or sent twice after it was acknowledged (seed ${seed})`, async () => {
    await run(createRandom(seed));
  });

async function run(random: Random): Promise<void> {
  const disk = createMemoryDisk();
  const model = new Model();
  const segmentBytes = 100 + random.below(2000);
  const open = () => openTestOutbox({ dir, files: disk, outputs, segmentBytes });
  let outbox = await open();
  let count = 0;

  function newBatch(): EnrichedBatch {
    const documents = Array.from({ length: 1 + random.below(4) }, () => {
      const document = JSON.stringify({ n: ++count, pad: "x".repeat(random.below(100)) });
      model.fates.set(document, "unknown");
      return document;
    });
    return batchOf(...documents);
  }

  async function append(): Promise<void> {
    const batch = newBatch();
    const documents = batch.lines.toString().trimEnd().split("\n");
    const settle = (fate: Fate) => {
      for (const document of documents) model.fates.set(document, fate);
    };
    await outbox.append(batch).then(
      () => settle("kept"),
      (error: unknown) => {
        if (!(error instanceof CannotKeep)) throw error;
        settle("refused");
      },
    );
  }

  async function deliver(): Promise<void> {
    const output = random.pick(outputs);
    const reader = outbox.reader(output);
    const own = model.of(output);
    const batch = await reader
      .next({ maxEvents: 1 + random.below(12), maxBytes: 1 + random.below(1000) })
      .catch(ofDisk);
    if (!batch) return;
    model.check(output, batch);
    own.inFlight = batch;
    if (random.below(3) === 0) return;
    const isDone = await reader.acknowledge(batch).then(
      () => true,
      (error: unknown) => ofDisk(error) ?? false,
    );
    if (!isDone) return;
    for (const { document } of batch.events) own.acknowledged.add(document.toString());
    own.inFlight = undefined;
  }

  async function crash(): Promise<void> {
    // Some appends are on their way at that moment.
    const interrupted = Array.from({ length: random.below(4) }, newBatch).map((batch) =>
      outbox.append(batch),
    );
    for (let turns = random.below(12); turns > 0; turns--) await Promise.resolve();
    const before = outbox;
    disk.crash(random);
    // What was refused may have come back with the crash; what was in flight may be acknowledged on the disk.
    for (const [text, fate] of model.fates) if (fate === "refused") model.fates.set(text, "unknown");
    disk.fault = () => ({ code: "EIO" });
    await Promise.allSettled(interrupted);
    await before.close();
    disk.fault = () => undefined;
    outbox = await open();
  }

  for (let step = 0; step < stepsPerRun; step++) {
    const chance = random.below(100);
    disk.fault = chance < 12 ? randomFault(random) : () => undefined;
    if (chance < 4) {
      disk.fault = () => undefined;
      await crash();
    } else if (chance < 8) {
      disk.fault = () => undefined;
      await outbox.close();
      outbox = await open();
    } else if (chance < 50) await Promise.all(Array.from({ length: 1 + random.below(5) }, append));
    else await deliver();
  }

  disk.fault = () => undefined;
  for (const output of outputs) await drainAndCheck(outbox, model, output);
  await outbox.close();
}

async function drainAndCheck(outbox: Opened, model: Model, output: string): Promise<void> {
  const reader = outbox.reader(output);
  const own = model.of(output);
  for (;;) {
    const batch = await reader.next({ maxEvents: 50, maxBytes: 10_000 });
    if (!batch) break;
    model.check(output, batch);
    await reader.acknowledge(batch);
    own.inFlight = undefined;
    for (const { document } of batch.events) own.acknowledged.add(document.toString());
  }
  const missing = [...model.fates].filter(([text, fate]) => fate === "kept" && !own.acknowledged.has(text));
  expect(missing).toEqual([]);
  expect(reader.waiting()).toEqual({ events: 0, bytes: 0, oldestReceivedAt: undefined });
}

/** One kind of call on the disk fails from now on. */
function randomFault(random: Random): MemoryDisk["fault"] {
  const failing = random.pick(["write", "datasync", "truncate", "create", "syncDirectory", "open", "remove"]);
  const code = random.pick(["ENOSPC", "EIO"]);
  let callsBefore = random.below(3);
  return (operation): Fault => {
    if (operation !== failing || callsBefore-- > 0) return undefined;
    return operation === "write" && code === "ENOSPC" ? { shortBytes: 0 } : { code };
  };
}

/** Lets a failure of the disk pass. */
function ofDisk(error: unknown): undefined {
  if (!(error instanceof Error) || !error.message.startsWith("outbox: cannot ")) throw error;
  return undefined;
}
