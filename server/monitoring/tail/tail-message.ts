import type { EventPosition, SampledEvent } from "../sampling/sampled-event.ts";
import type { TailBye, TailCounts, TailHello } from "./messages.ts";

/*
 * The messages of a live tail as bytes (text/event-stream). A document is sent as the bytes that are delivered: parsing and
 * printing it would change 64-bit numbers and duplicate keys. It contains no line break, so it fits on one line.
 */

/** The part of a viewer's stream between two positions, for one message. */
export interface StreamSpan {
  readonly from: EventPosition;
  readonly to: EventPosition;
  /** Sampled events that were evicted before this viewer received them. */
  readonly missed: number;
  readonly matched: number;
  /** The newest of the matching events, oldest first. */
  readonly events: readonly SampledEvent[];
}

export const pingMessage = Buffer.from(": ping\n\n");

export function helloMessage(hello: TailHello, position: EventPosition): Buffer {
  const id = eventId(hello.instance, position);
  return Buffer.from(`id: ${id}\nevent: hello\ndata: ${JSON.stringify(hello)}\n\n`);
}

export function byeMessage(reason: TailBye["reason"]): Buffer {
  return Buffer.from(`event: bye\ndata: ${JSON.stringify({ reason } satisfies TailBye)}\n\n`);
}

/** A message with the counts of a span and its events, one line for each event. */
export function eventsMessage(instance: string, { from, to, missed, matched, events }: StreamSpan): Buffer {
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
export function eventJson(event: SampledEvent): string {
  return `${headOf(event)}${event.line}}`;
}

/** The most bytes that an event takes in a message: each character of the sensor's id may be escaped. */
export function maxBytesInMessage({ line, sensorId }: SampledEvent): number {
  return line.length + 2 * sensorId.length + maxHeadBytes;
}

/** The length of everything before a document, without the sensor's id. */
const maxHeadBytes = 100;
const newline = 0x0a;
const closeBrace = 0x7d;

/** The part of an event's line before its document. It is ASCII, as is the sensor's id. */
function headOf({ number, receivedAt, sensorId }: SampledEvent): string {
  return `{"number":${number},"receivedAt":${receivedAt},"sensorId":${JSON.stringify(sensorId)},"document":`;
}

function eventId(instance: string, { number }: EventPosition): string {
  return `${instance}.${number}`;
}

const idPattern = /^([0-9a-f]{16})\.(0|[1-9]\d{0,15})$/;

/** @returns undefined if the text does not have the form of an id */
export function parseEventId(
  id: string | undefined,
): { readonly instance: string; readonly number: number } | undefined {
  const [, instance, digits] = idPattern.exec(id ?? "") ?? [];
  if (instance === undefined || digits === undefined) return undefined;
  return { instance, number: Number(digits) };
}
