import type { StoreNote } from "./store-notes.ts";
import type { StoreEvent, StoreReport, StoreWriterOptions } from "./store-writer.ts";

/*
 * What the writer's worker and its client send to each other. The events of a delivery are one ArrayBuffer, which is
 * transferred: objects would be copied one by one. It has, in the byte order of the machine:
 *
 *   uint32       number of events n
 *   uint32       bytes of the sensor ids
 *   float64[n]   sequence number
 *   float64[n]   time of receipt, in milliseconds since the epoch
 *   uint32[n]    bytes of the document
 *   uint32[n]    sensor, an index into the sensor ids
 *   bytes        the sensor ids, UTF-8, separated by line feeds
 *   bytes        the documents
 */

export type WriterRequest =
  /** The first request. */
  | { readonly kind: "open"; readonly options: Pick<StoreWriterOptions, "dir" | "maxBytes" | "maxDays"> }
  | {
      readonly kind: "append";
      readonly id: number;
      readonly outboxId: string;
      readonly events: ArrayBuffer;
    }
  /** The last request. */
  | { readonly kind: "close" };

export type WriterMessage =
  | { readonly kind: "note"; readonly note: StoreNote }
  | { readonly kind: "report"; readonly report: StoreReport }
  /** The events of the request are stored, unless there is a failure. */
  | { readonly kind: "appended"; readonly id: number; readonly failure: WriterFailure | undefined }
  | { readonly kind: "closed" };

export interface WriterFailure {
  readonly reason: string;
  /** Whether somebody has to fix something. */
  readonly isBlocked: boolean;
}

const headerBytes = 8;
const bytesPerEvent = 8 + 8 + 4 + 4;

export function encodeEvents(events: readonly StoreEvent[]): ArrayBuffer {
  const sensors = [...new Set(events.map(({ sensorId }) => sensorId))];
  const sensorIds = Buffer.from(sensors.join("\n"));
  const indexOf = new Map(sensors.map((id, i) => [id, i]));
  const documentBytes = events.reduce((sum, { document }) => sum + document.length, 0);
  const documentsAt = headerBytes + events.length * bytesPerEvent + sensorIds.length;
  const encoded = new ArrayBuffer(documentsAt + documentBytes);
  const bytes = Buffer.from(encoded);
  new Uint32Array(encoded, 0, 2).set([events.length, sensorIds.length]);
  const { sequences, times, lengths, sensorIndexes } = columnsOf(encoded);
  let at = documentsAt;
  for (const [i, { sequence, receivedAt, sensorId, document }] of events.entries()) {
    sequences[i] = sequence;
    times[i] = receivedAt;
    lengths[i] = document.length;
    sensorIndexes[i] = indexOf.get(sensorId) ?? 0;
    at += document.copy(bytes, at);
  }
  sensorIds.copy(bytes, documentsAt - sensorIds.length);
  return encoded;
}

/** @returns events whose documents are parts of `encoded` */
export function decodeEvents(encoded: ArrayBuffer): StoreEvent[] {
  const [, sensorBytes = 0] = new Uint32Array(encoded, 0, 2);
  const { sequences, times, lengths, sensorIndexes, end } = columnsOf(encoded);
  const sensors = Buffer.from(encoded, end, sensorBytes).toString().split("\n");
  let at = end + sensorBytes;
  return Array.from(sequences, (sequence, i) => {
    const length = lengths[i] ?? 0;
    const document = Buffer.from(encoded, at, length);
    at += length;
    return {
      sequence,
      receivedAt: times[i] ?? 0,
      sensorId: sensors[sensorIndexes[i] ?? 0] ?? "",
      document,
    };
  });
}

function columnsOf(encoded: ArrayBuffer) {
  const [count = 0] = new Uint32Array(encoded, 0, 1);
  const timesAt = headerBytes + count * 8;
  const lengthsAt = timesAt + count * 8;
  const sensorsAt = lengthsAt + count * 4;
  return {
    sequences: new Float64Array(encoded, headerBytes, count),
    times: new Float64Array(encoded, timesAt, count),
    lengths: new Uint32Array(encoded, lengthsAt, count),
    sensorIndexes: new Uint32Array(encoded, sensorsAt, count),
    end: sensorsAt + count * 4,
  };
}
