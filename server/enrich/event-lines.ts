import { takeLineBuffer } from "../line-buffers.ts";
import type { ScannedEvent } from "../pipeline.ts";

const newline = 0x0a;
const carriageReturn = 0x0d;

/** The change of one event: `bytes` replace the bytes of the body from `start` to `end`, which may be the same position. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/**
 * Writes each event of a batch on a line of its own.
 * @param splices one for each event, inside the event
 */
export function eventLines(
  body: Buffer,
  events: readonly ScannedEvent[],
  splices: readonly Splice[],
): Buffer {
  return hasInside(body, events, newline) || hasInside(body, events, carriageReturn)
    ? joinWithoutLineBreaks(body, events, splices)
    : joinLines(body, events, splices);
}

/** Whether an event has this byte. Between events, where newline-delimited JSON has it, it does not matter. */
function hasInside(body: Buffer, events: readonly ScannedEvent[], byte: number): boolean {
  let at = body.indexOf(byte);
  if (at < 0) return false;
  for (const { start, end } of events) {
    if (at < start) at = body.indexOf(byte, start);
    if (at < 0) return false;
    if (at < end) return true;
  }
  return false;
}

/**
 * One copy reaches from an event's splice to the splice of the next event. The comma or line break between the two events is
 * copied along and then becomes the line's end. The first copy begins with the byte before the first event, whose line end is
 * left off.
 */
function joinLines(body: Buffer, events: readonly ScannedEvent[], splices: readonly Splice[]): Buffer {
  // There is at least one byte between two events, so their line ends need no additional space.
  let maxLength = 2 + (events.at(-1)?.end ?? 0) - (events[0]?.start ?? 0);
  for (const splice of splices) maxLength += splice.bytes.length;
  const lines = takeLineBuffer(maxLength);
  let at = 0;
  let copied = 0;
  let end = 0;
  let i = 0;
  for (const event of events) {
    const lineEnd = at + end - copied;
    if (event.start !== end + 1) {
      body.copy(lines, at, copied, end);
      at = lineEnd + 1;
      copied = event.start;
    }
    const splice = splices[i++] as Splice;
    at += body.copy(lines, at, copied, splice.start);
    at += splice.bytes.copy(lines, at);
    copied = splice.end;
    lines[lineEnd] = newline;
    end = event.end;
  }
  at += body.copy(lines, at, copied, end);
  lines[at++] = newline;
  return lines.subarray(1, at);
}

/** Handles events with line breaks inside. In a valid event they are between tokens, so they can be removed. */
function joinWithoutLineBreaks(
  body: Buffer,
  events: readonly ScannedEvent[],
  splices: readonly Splice[],
): Buffer {
  return Buffer.concat(
    events.map((event, i) => withoutLineBreaks(joinLines(body, [event], [splices[i] as Splice]))),
  );
}

/** Removes the line breaks inside a line, in place. */
function withoutLineBreaks(line: Buffer): Buffer {
  let to = 0;
  for (const byte of line) if (byte !== newline && byte !== carriageReturn) line[to++] = byte;
  line[to++] = newline;
  return line.subarray(0, to);
}
