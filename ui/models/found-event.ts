import { type EventFields, fieldsOf } from "../../server/event/event-fields.ts";
import type { HistoryEventAnswer } from "../../server/management/api/answers.ts";
import { parsedDocument } from "./tail-document.ts";

/** A stored event, as it is listed and opened. */
export interface FoundEvent {
  readonly id: string;
  readonly receivedAt: number;
  readonly sensorId: string;
  /** The exact text of the document. */
  readonly raw: string;
  /** undefined if the text is not JSON. */
  readonly document: unknown;
  readonly fields: EventFields;
}

export function foundEvent({ id, receivedAt, sensorId, document: raw }: HistoryEventAnswer): FoundEvent {
  const document = parsedDocument(raw);
  return { id, receivedAt, sensorId, raw, document, fields: fieldsOf(document) };
}
