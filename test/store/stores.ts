import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoreNote } from "../../server/store/store-notes.ts";
import { type StoreEvent, StoreWriter, type StoreWriterOptions } from "../../server/store/store-writer.ts";

export const startMs = Date.UTC(2026, 10, 3, 12);
export const dayMs = 86_400_000;

/** A folder that is removed at the end. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "loom-store-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export interface TestWriter extends Disposable {
  readonly writer: StoreWriter;
  readonly notes: StoreNote[];
  messages(): string[];
}

export function openWriter(dir: string, options: Partial<StoreWriterOptions> = {}): TestWriter {
  const notes: StoreNote[] = [];
  const writer = StoreWriter.open({
    dir,
    maxBytes: 1024 ** 3,
    maxDays: 30,
    now: () => startMs,
    note: (level, message, fields) => notes.push({ level, message, fields }),
    ...options,
  });
  return {
    writer,
    notes,
    messages: () => notes.map(({ level, message }) => `${level} ${message}`),
    [Symbol.dispose]: () => writer.close(),
  };
}

/** The document of a sequence number: with an address, a payload, and other fields that differ. */
export function documentOf(sequence: number): string {
  return JSON.stringify({
    n: sequence,
    source: {
      ip: `10.${(sequence >> 14) & 63}.${(sequence >> 7) & 127}.${sequence & 127}`,
      as: { number: 1 + (sequence % 7) },
    },
    destination: { port: sequence % 900 },
    url: { path: `/${sequence % 50}/é` },
    user_agent: sequence % 3 === 0 ? { original: "curl/8" } : {},
    event: { original_payload_hex: Buffer.from(`GET /${sequence} HTTP/1.1`).toString("hex") },
  });
}

export function eventsOf(first: number, count: number, receivedAt = startMs): StoreEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    sequence: first + i,
    receivedAt: receivedAt + i,
    sensorId: `sensor-${(first + i) % 3}`,
    document: Buffer.from(documentOf(first + i)),
  }));
}

export function documents(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => documentOf(first + i));
}
