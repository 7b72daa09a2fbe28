import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { asGoWrites } from "./batches.ts";

/** The forms of a body that Loom accepts (docs/ingest-api.md). */
export const bodyForms = ["array", "lines", "gzip", "deflate", "zstd"] as const;
export type BodyForm = (typeof bodyForms)[number];

/** @param batch a JSON array @returns the same events in another form, with the headers that say so */
export function benchBody(batch: Buffer, form: BodyForm): { headers: string; body: Buffer } {
  const json = "Content-Type: application/json\r\n";
  const headers = `${json}Content-Encoding: ${form}\r\n`;
  switch (form) {
    case "array":
      return { headers: json, body: batch };
    case "lines":
      return { headers: "Content-Type: application/x-ndjson\r\n", body: linesOf(batch) };
    case "gzip":
      return { headers, body: gzipSync(batch) };
    case "deflate":
      return { headers, body: deflateSync(batch) };
    case "zstd":
      return { headers, body: zstdCompressSync(batch) };
  }
}

function linesOf(batch: Buffer): Buffer {
  const events: unknown[] = JSON.parse(batch.toString());
  return Buffer.from(events.map((event) => asGoWrites(JSON.stringify(event))).join("\n"));
}
