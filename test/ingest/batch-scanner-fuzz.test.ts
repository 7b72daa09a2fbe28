import { expect, test } from "bun:test";
import { Enricher } from "../../server/enrich/enricher.ts";
import { scanBatch } from "../../server/ingest/batch-scanner.ts";
import { capturedRequests } from "../support/fixtures.ts";
import { createRandom, type Random } from "../support/random.ts";

// LOOM_FUZZ_ROUNDS=5000000 LOOM_FUZZ_SEED=7 bun test batch-scanner-fuzz
const rounds = Number(process.env.LOOM_FUZZ_ROUNDS ?? 60_000);
const seed = Number(process.env.LOOM_FUZZ_SEED ?? 20261122);

const limits = { maxEventsPerBatch: Number.MAX_SAFE_INTEGER, maxEventSizeBytes: Number.MAX_SAFE_INTEGER };
/** Short batches, so that a mutation often hits a byte that matters. They contain every kind of value. */
const originals = [
  ...capturedRequests.map(({ body }) => body).filter((body) => body.length < 3000),
  '[{"source":{"ip":"81.2.69.142","as":{"number":1,"x":[1.5e3,-0]},"geo":null}},{"a":"\\u0041\\n\\"é☃𝄞"},{}]',
  ' [ {"source" : {"ip":"::1"} , "n" : [ 0, -1.25E-2, true, false, null, "" ] } ,\r\n {} ] ',
].map((body) => Buffer.from(body));
const interesting = [
  ...Buffer.from('"\\{}[]:,0123456789.eE+-tfnu \n\r\t/'),
  0,
  0x1f,
  0x7f,
  0x80,
  0xc3,
  0xed,
  0xff,
];

function mutated(original: Buffer, random: Random): Buffer {
  let bytes = original;
  for (let edits = 1 + random.below(4); edits > 0; edits--) {
    const at = random.below(bytes.length + 1);
    const until = Math.min(bytes.length, at + random.below(4));
    const inserted = Buffer.from(Array.from({ length: random.below(3) }, () => random.pick(interesting)));
    const moved =
      random.below(8) === 0 ? bytes.subarray(random.below(bytes.length)).subarray(0, 40) : inserted;
    bytes = Buffer.concat([bytes.subarray(0, at), moved, bytes.subarray(until)]);
  }
  return bytes;
}

/** The verdict of JSON.parse: the number of events, or undefined if the bytes are not a batch. */
function verdict(bytes: Buffer): number | undefined {
  try {
    // A BOM is not JSON (RFC 8259 8.1), so it must not be removed.
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const batch: unknown = JSON.parse(text);
    return Array.isArray(batch) && batch.every(isObject) ? batch.length : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// At 1 ms a round the time limit is a hundred times what a round takes.
test(
  `${rounds} mutated batches are accepted or refused as JSON.parse does, and come out unchanged`,
  () => {
    const random = createRandom(seed);
    const { enrich } = new Enricher({ databases: undefined, reverseDns: undefined });
    let taken = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = mutated(random.pick(originals), random);
      const expected = verdict(bytes);
      const scan = scanBatch(bytes, limits);
      if (scan.kind === "refused" ? expected !== undefined : scan.value.length !== expected)
        throw new Error(
          `seed ${seed}, round ${round}: JSON.parse says ${expected} of ${JSON.stringify(bytes.toString("latin1"))}`,
        );
      if (scan.kind === "refused") continue;
      const events = scan.value;
      taken++;
      const lines = (enrich(bytes, events) as Buffer).toString();
      const wanted = events.map(({ start, end }) =>
        bytes.toString("utf8", start, end).replace(/[\r\n]/g, ""),
      );
      if (lines !== wanted.map((line) => `${line}\n`).join(""))
        throw new Error(`seed ${seed}, round ${round}: changed ${JSON.stringify(bytes.toString("latin1"))}`);
    }
    // Both verdicts occurred often enough.
    expect(taken).toBeGreaterThan(rounds / 20);
    expect(taken).toBeLessThan((rounds * 19) / 20);
  },
  rounds,
);
