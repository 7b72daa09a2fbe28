import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outbox, type OutboxOptions, openOutbox } from "../../server/outbox/outbox.ts";
import type { EnrichedBatch, OutboxReader, StoredBatch } from "../../server/pipeline.ts";
import { recordingLog } from "../support/log.ts";

/** A directory for one test, which removes it at its end. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "loom-outbox-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** An outbox with one output, "clickhouse", and ample room, unless the options say otherwise. */
export async function openTestOutbox(
  options: Partial<Omit<OutboxOptions, "log">> & { readonly dir: string },
): Promise<Outbox & { readonly log: ReturnType<typeof recordingLog> }> {
  const log = recordingLog();
  const outbox = await openOutbox({
    maxBytes: 64 * 1024 * 1024,
    onFull: "reject",
    outputs: ["clickhouse"],
    // Otherwise each test would write one.
    reserveBytes: 0,
    ...options,
    log,
  });
  return { ...outbox, log };
}

/** A batch of these documents, from "spip-001". */
export function batchOf(...documents: readonly string[]): EnrichedBatch {
  return {
    sensorId: "spip-001",
    eventCount: documents.length,
    lines: Buffer.from(documents.map((document) => `${document}\n`).join("")),
  };
}

export const wideBounds = { maxEvents: 1_000_000, maxBytes: 1_000_000_000 };

export function documentsOf(batch: StoredBatch | undefined): readonly string[] {
  return batch?.events.map(({ document }) => document.toString()) ?? [];
}

/** Reads and acknowledges all pending events. @returns their documents, in order */
export async function drain(reader: OutboxReader): Promise<readonly string[]> {
  const documents: string[] = [];
  for (;;) {
    const batch = await reader.next(wideBounds);
    if (!batch) return documents;
    documents.push(...documentsOf(batch));
    await reader.acknowledge(batch);
  }
}
