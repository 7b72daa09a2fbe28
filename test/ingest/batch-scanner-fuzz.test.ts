import { expect, test } from "bun:test";
import { Enricher } from "../../server/enrich/enricher.ts";
import { scanBatch, scanLines } from "../../server/ingest/batch-scanner.ts";
import type { EnrichedEvents } from "../../server/pipeline.ts";
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

/** The same events as lines: with one separator of each kind, and an object over several lines. */
const originalLines = [
  ...originals.map((batch) =>
    (JSON.parse(batch.toString()) as unknown[]).map((event) => JSON.stringify(event)),
  ),
].flatMap((events) =>
  ["\n", "\r\n", " \n\n\t"].map((separator) => Buffer.from(events.join(separator) + separator)),
);
originalLines.push(Buffer.from('\n{"source":{"ip":"81.2.69.142"},\r\n "a":\n1}\n{}\n{"b":[\n]}'));

/** The verdict of JSON.parse: the number of events, or undefined if the bytes are not a batch. */
function verdict(bytes: Buffer): number | undefined {
  const batch = parsed(bytes);
  if (Array.isArray(batch)) return batch.every(isObject) ? batch.length : undefined;
  return isObject(batch) ? 1 : undefined;
}

/** The verdict of JSON.parse line by line. A line that is not a document is joined with the next one. */
function verdictOnLines(bytes: Buffer): number | undefined {
  let count = 0;
  let start = 0;
  for (let at = 0; at <= bytes.length; at++) {
    if (at < bytes.length && bytes[at] !== 0x0a) continue;
    const document = bytes.subarray(start, at);
    if (!/^[ \t\r\n]*$/.test(document.toString("latin1"))) {
      const value = parsed(document);
      if (value === undefined) continue;
      if (!isObject(value)) return undefined;
      count++;
    }
    start = at + 1;
  }
  return start > bytes.length ? count : undefined;
}

/** undefined: the bytes are not one JSON document in UTF-8. */
function parsed(bytes: Buffer): unknown {
  try {
    // A BOM is not JSON (RFC 8259 8.1), so it must not be removed.
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// At 1 ms a round the time limit is a hundred times what a round takes.
for (const { form, texts, scan: scanBody, expectedOf } of [
  { form: "batches", texts: originals, scan: scanBatch, expectedOf: verdict },
  { form: "lines", texts: originalLines, scan: scanLines, expectedOf: verdictOnLines },
])
  test(
    `${rounds} mutated ${form} are accepted or refused as JSON.parse does, and come out unchanged`,
    () => {
      const random = createRandom(seed);
      const { enrich } = new Enricher({ databases: undefined, reverseDns: undefined });
      let taken = 0;
      for (let round = 0; round < rounds; round++) {
        const bytes = mutated(random.pick(texts), random);
        const expected = expectedOf(bytes);
        const scan = scanBody(bytes, limits);
        if (scan.kind === "refused" ? expected !== undefined : scan.value.length !== expected)
          throw new Error(
            `seed ${seed}, round ${round}: JSON.parse says ${expected} of ${JSON.stringify(bytes.toString("latin1"))}`,
          );
        if (scan.kind === "refused") continue;
        const events = scan.value;
        taken++;
        const lines = (enrich(bytes, events) as EnrichedEvents).lines.toString();
        const wanted = events.map(({ start, end }) =>
          bytes.toString("utf8", start, end).replace(/[\r\n]/g, ""),
        );
        if (lines !== wanted.map((line) => `${line}\n`).join(""))
          throw new Error(
            `seed ${seed}, round ${round}: changed ${JSON.stringify(bytes.toString("latin1"))}`,
          );
      }
      // Both verdicts occurred often enough.
      expect(taken).toBeGreaterThan(rounds / 20);
      expect(taken).toBeLessThan((rounds * 19) / 20);
    },
    rounds,
  );
