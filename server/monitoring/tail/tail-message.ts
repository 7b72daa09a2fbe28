import type { EventPosition, ExaminedEvent } from "../sampling/sampled-event.ts";
import type { TailBye, TailCounts, TailHello } from "./messages.ts";

/*
 * The messages of a live tail as bytes (text/event-stream). A document goes out as the bytes in which it is delivered:
 * 64-bit numbers and duplicate keys would not survive being made anew. It has no line break, so it fits on one line.
 */

/** What happened between two positions of a viewer's stream. */
export interface Stretch {
  readonly from: EventPosition;
  readonly to: EventPosition;
  /** Examined events that were gone before this viewer took them. */
  readonly missed: number;
  readonly matched: number;
  /** The latest of the matched ones, the oldest first. */
  readonly events: readonly ExaminedEvent[];
}

export const pingMessage = Buffer.from(": ping\n\n");

export function helloMessage(hello: TailHello, position: EventPosition): Buffer {
  const id = eventId(hello.instance, position);
  return Buffer.from(`id: ${id}\nevent: hello\ndata: ${JSON.stringify(hello)}\n\n`);
}

export function byeMessage(reason: TailBye["reason"]): Buffer {
  return Buffer.from(`event: bye\ndata: ${JSON.stringify({ reason } satisfies TailBye)}\n\n`);
}

/** Several events in one message, a line each. */
export function eventsMessage(instance: string, { from, to, missed, matched, events }: Stretch): Buffer {
  const kept = to.number - from.number;
  const unexamined = kept - (to.ordinal - from.ordinal);
  const counts: TailCounts = { kept, unexamined, missed, matched };
  const start = `id: ${eventId(instance, to)}\nevent: events\ndata: ${JSON.stringify(counts)}\n`;
  const heads = events.map((event) => `data: ${headOf(event)}`);
  let length = start.length + 1;
  for (const [index, head] of heads.entries()) length += head.length + (events[index]?.line.length ?? 0) + 2;
  const message = Buffer.allocUnsafeSlow(length);
  let at = message.write(start, "latin1");
  for (const [index, { line }] of events.entries()) {
    at += message.write(heads[index] ?? "", at, "latin1");
    at += line.copy(message, at);
    message[at++] = closeBrace;
    message[at++] = newline;
  }
  message[at] = newline;
  return message;
}

/** One event as JSON. */
export function eventJson(event: ExaminedEvent): string {
  return `${headOf(event)}${event.line}}`;
}

/** No event takes up more in a message; each character of the sensor's id may be escaped. */
export function maxBytesInMessage({ line, sensorId }: ExaminedEvent): number {
  return line.length + 2 * sensorId.length + maxHeadBytes;
}

/** Of everything before a document, the sensor's id aside. */
const maxHeadBytes = 100;
const newline = 0x0a;
const closeBrace = 0x7d;

/** Everything of an event before its document, in ASCII: a sensor's id has no other characters. */
function headOf({ number, receivedAt, sensorId }: ExaminedEvent): string {
  return `{"number":${number},"receivedAt":${receivedAt},"sensorId":${JSON.stringify(sensorId)},"document":`;
}

function eventId(instance: string, { number }: EventPosition): string {
  return `${instance}.${number}`;
}

const idPattern = /^([0-9a-f]{16})\.(0|[1-9]\d{0,15})$/;

/** undefined: it is not one that any Loom gave. */
export function parseEventId(
  id: string | undefined,
): { readonly instance: string; readonly number: number } | undefined {
  const [, instance, digits] = idPattern.exec(id ?? "") ?? [];
  if (instance === undefined || digits === undefined) return undefined;
  return { instance, number: Number(digits) };
}
