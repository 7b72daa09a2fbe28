import type { StoredEvent } from "../../pipeline.ts";

/*
 * One line of a dead-letter file. Two kinds:
 *   {"time":"2026-05-01T12:00:00.000Z","output":"clickhouse","reason":"…","sensor_id":"…","sequence":12,
 *    "received_at":"2026-05-01T11:59:58.000Z","event":"<the document as it would have been sent>"}
 *   {"time":"…","delivered":[12,13]}       letters above that were delivered later
 * Of two letters with one sequence number the later one counts.
 */

/** An event that an output refused for good. */
export interface DeadLetter {
  readonly event: StoredEvent;
  readonly reason: string;
  readonly output: string;
  /** When it was refused; milliseconds since the epoch. */
  readonly time: number;
}

export type DeadLetterLine =
  | { readonly kind: "letter"; readonly letter: DeadLetter }
  | { readonly kind: "delivered"; readonly sequences: readonly number[] };

export function letterLine({ event, reason, output, time }: DeadLetter): Buffer {
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

export function deliveredLine(sequences: readonly number[], time: number): Buffer {
  return Buffer.from(`${JSON.stringify({ time: new Date(time).toISOString(), delivered: sequences })}\n`);
}

/** @returns undefined for whatever is not such a line */
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
  // It goes out again as one line of a request.
  if (event.includes("\n")) return undefined;
  const document = Buffer.from(event);
  return {
    kind: "letter",
    letter: { event: { sequence, sensorId, receivedAt, document }, reason, output, time },
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
    // Whatever is not JSON is no line of ours; the caller counts it.
    return undefined;
  }
}

function parseTime(value: unknown): number | undefined {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
