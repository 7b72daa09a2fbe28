import { expect, test } from "bun:test";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { Enricher } from "../../server/enrich/enricher.ts";
import { capturedRequests } from "../support/fixtures.ts";
import { batchRequest, ingestWith } from "../support/ingest.ts";
import { createRandom, type Random } from "../support/random.ts";

const bodies = Number(process.env.LOOM_FUZZ_ROUNDS ?? 10_000);
const seed = Number(process.env.LOOM_FUZZ_SEED ?? 20261125);

const captured = capturedRequests.flatMap(({ body }) => textsOf(body));
/** What printing a parsed event would change. */
const peculiar = [
  "{}",
  '{"n":18446744073709551615,"m":1e400,"o":1.0,"z":-0}',
  '{"a":1,"a":2,"source":{"ip":"8.8.8.8"},"source":{"ip":"::1"}}',
  '{"é":"\\u003cscript\\u003e","\\u0061":"\\/ ☃ 𝄞 \\ud800","\\r\\n":"\\u2028"}',
  '{"b" : [ 1 ,\t{ } ] , "s":"},{\\"[]" }',
  '{"source.ip":"81.2.69.142","0":null}',
];

/** The texts of the events in a captured batch, which Go's encoder wrote without space. */
function textsOf(body: string): string[] {
  const events = JSON.parse(body) as unknown[];
  return events.map((event) => JSON.stringify(event)).filter((text) => body.includes(text));
}

function randomEvents(random: Random): string[] {
  return Array.from({ length: 1 + random.below(6) }, () =>
    random.below(3) === 0
      ? random.pick(captured)
      : random.below(3) === 0
        ? `{"id":${random.below(1e9)},"text":${JSON.stringify("é\n\u0000".repeat(random.below(9)))}}`
        : random.pick(peculiar),
  );
}

const lines = { "content-type": "application/x-ndjson" };
const codings = { gzip: gzipSync, deflate: deflateSync, zstd: zstdCompressSync };

/** The same events in one of the forms that a body may have. */
function inForm(form: number, events: readonly string[], random: Random) {
  const space = () => random.pick(["", "", " ", "\n", "\r\n", "\t"]);
  const lineEnd = () => `${random.pick(["", "", " "])}${random.pick(["\n", "\r\n", "\n\n", "\n \r\n"])}`;
  const array = `[${events.map((event) => space() + event + space()).join(",")}]`;
  const ndjson = events.map(
    (event, i) => event + (i < events.length - 1 ? lineEnd() : random.pick(["", "\n"])),
  );
  if (form === 0) return { body: array };
  if (form === 1) return { body: ndjson.join(""), headers: lines };
  if (form === 2 && events.length === 1) return { body: space() + events[0] + space() };
  const coding = random.pick(["gzip", "deflate", "zstd"] as const);
  const isLines = random.below(2) === 0;
  return {
    body: codings[coding](isLines ? ndjson.join("") : array),
    headers: { ...(isLines ? lines : {}), "content-encoding": coding },
  };
}

test(
  `the events of ${bodies} bodies come out byte for byte, whatever the form of the body`,
  async () => {
    const random = createRandom(seed);
    const { enrich } = new Enricher({ databases: undefined, reverseDns: undefined });
    let line = "";
    const { send, ledger } = ingestWith({
      enrich,
      keep: async (batch) => {
        line = batch.lines.toString();
      },
    });
    let events = 0;
    for (let round = 0; round < bodies; round++) {
      const form = random.below(5);
      const sent = form === 2 ? [random.pick([...peculiar, ...captured])] : randomEvents(random);
      const answer = await send(batchRequest(inForm(form, sent, random)));
      events += sent.length;
      if (answer.status !== 204 || line !== sent.map((event) => `${event}\n`).join(""))
        throw new Error(
          `seed ${seed}, round ${round}, form ${form}: ${answer.status} for ${sent.join("\n")}`,
        );
    }
    expect(ledger.sensor("vps-frankfurt-01").keptEvents).toBe(events);
  },
  // At 2 ms a body the time limit is ten times what a body takes.
  bodies * 2 + 10_000,
);
