import type { StoredEvent } from "../../pipeline.ts";

/*
 * The format of a line in a dead-letter file. A line is one of these:
 *   {"time":"2026-05-01T12:00:00.000Z","output":"clickhouse","reason":"…","sensor_id":"…","sequence":12,
 *    "received_at":"2026-05-01T11:59:58.000Z","event":"<the document as it would have been sent>"}
 *   {"time":"…","delivered":[12,13]}       records above this line that were delivered later
 * If several records have the same sequence number, the last one is valid.
 */

/** An event that an output rejected. */
export interface DeadLetter {
  readonly event: StoredEvent;
  readonly reason: string;
  readonly output: string;
  /** When the output rejected the event, in milliseconds since the epoch. */
  readonly time: number;
}

export type DeadLetterLine =
  | { readonly kind: "record"; readonly record: DeadLetter }
  | { readonly kind: "delivered"; readonly sequences: readonly number[] };

/** The line for a rejected event, with its line break. */
export function recordLine({ event, reason, output, time }: DeadLetter): Buffer {
  const fields = {
    time: new Date(time).toISOString(),
    output,
    reason,
    sensor_id: event.sensorId,
    sequence: event.sequence,
    received_at: new Date(event.receivedAt).toISOString(),
    event: event.document.toString("utf8"),
  };
  return Buffer.from(`${JSON.stringify(fields)}\n`);
}

/** The line saying that records were delivered, with its line break. @param time milliseconds since the epoch */
export function deliveredLine(sequences: readonly number[], time: number): Buffer {
  return Buffer.from(`${JSON.stringify({ time: new Date(time).toISOString(), delivered: sequences })}\n`);
}

/** @param line without its line break. @returns undefined for anything that is not such a line */
export function parseDeadLetterLine(line: Buffer): DeadLetterLine | undefined {
  const fields = parseObject(line);
  if (!fields) return undefined;
  const time = parseTime(fields.time);
  if (time === undefined) return undefined;
  if (isSequenceList(fields.delivered)) return { kind: "delivered", sequences: fields.delivered };
  const { output, reason, sensor_id: sensorId, sequence, event } = fields;
  const receivedAt = parseTime(fields.received_at);
  if (receivedAt === undefined || !isSequence(sequence)) return undefined;
  if (typeof output !== "string" || typeof reason !== "string") return undefined;
  if (typeof sensorId !== "string" || typeof event !== "string") return undefined;
  // A retry sends the document as one line of a request body.
  if (event.includes("\n")) return undefined;
  const document = Buffer.from(event);
  return {
    kind: "record",
    record: { event: { sequence, sensorId, receivedAt, document }, reason, output, time },
  };
}

export function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isSequenceList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isSequence);
}

function parseObject(line: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // The line is damaged; the caller counts it.
    return undefined;
  }
}

function parseTime(value: unknown): number | undefined {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
