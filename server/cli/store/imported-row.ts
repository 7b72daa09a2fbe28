import { sensorIdFault } from "../../config/sensors.ts";
import { fieldsOf, member } from "../../event/event-fields.ts";
import { scanLines } from "../../ingest/batch-scanner.ts";
import { accepted, type Result, refused } from "../../result.ts";
import type { StoreRow } from "../../store/docs-chunk.ts";
import { dayMs, dayOf } from "../../store/store-file-name.ts";

export interface ImportRules {
  /** Of events that do not say their sensor; undefined: these are refused. */
  readonly sensorId: string | undefined;
  readonly maxDays: number;
  /** When the import began, in milliseconds since the epoch. */
  readonly now: number;
}

export interface ImportedRow {
  readonly row: StoreRow;
  /** False: the event has no time that can be its time of receipt, so it got that of the import. */
  readonly hasOwnTime: boolean;
}

export type LineRefusal =
  /** It is older than the store keeps events. */
  { readonly kind: "expired" } | { readonly kind: "invalid"; readonly reason: string };

/** Clocks of sensors may be wrong by hours, and time zones be forgotten. */
const maxAheadMs = 2 * dayMs;

/** Makes a row of a line, which is an event as Loom delivers it. */
export function importedRow(line: Buffer, rules: ImportRules): Result<ImportedRow, LineRefusal> {
  const limits = { maxEventsPerBatch: 1, maxEventSizeBytes: line.length };
  const scanned = scanLines(line, limits);
  const [event] = scanned.kind === "accepted" ? scanned.value : [];
  if (event === undefined) return invalid("it is not one JSON object");
  const document = line.subarray(event.start, event.end);
  const value: unknown = JSON.parse(document.toString());
  const sensorId = sensorOf(value) ?? rules.sensorId;
  if (sensorId === undefined)
    return invalid("it has no observer.id that can be the id of a sensor; -sensor sets one");
  const { timestampMs } = fieldsOf(value);
  const ownTime =
    timestampMs !== undefined && timestampMs >= 0 && timestampMs <= rules.now + maxAheadMs
      ? timestampMs
      : undefined;
  if (ownTime !== undefined && dayOf(rules.now) - dayOf(ownTime) > rules.maxDays)
    return refused({ kind: "expired" });
  const receivedAt = ownTime ?? rules.now;
  return accepted({ row: { receivedAt, sensorId, document }, hasOwnTime: ownTime !== undefined });
}

/** `observer.id`, in which a sensor says its own name. */
function sensorOf(document: unknown): string | undefined {
  const id = member(member(document, "observer"), "id");
  return typeof id === "string" && sensorIdFault(id) === undefined ? id : undefined;
}

function invalid(reason: string): Result<never, LineRefusal> {
  return refused({ kind: "invalid", reason });
}
