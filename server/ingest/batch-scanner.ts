import { isUtf8 } from "node:buffer";
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  INVALID,
  isKey,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipColon,
  skipSpace,
  skipString,
  skipValue,
  wordsOf,
} from "../json-bytes.ts";
import type { ScannedEvent } from "../pipeline.ts";
import { accepted, type Result, refused } from "../result.ts";

/*
 * One pass over the bytes of a batch. It checks the grammar and finds where each event begins and ends, its
 * `source.ip`, and where `source` ends. Nothing is decoded, so no byte of an event can change on its way through Loom.
 */

export interface ScanLimits {
  readonly maxEventsPerBatch: number;
  readonly maxEventSizeBytes: number;
}

export type ScanRefusal = "invalid_request" | "batch_too_large" | "event_too_large";

/** Returned instead of a position, like INVALID. */
const TOO_MANY_EVENTS = -2;
const EVENT_TOO_LARGE = -3;

/**
 * Scans a body of the type application/json: an array of objects, or one object.
 * @returns the events in order, none for `[]`; or the code of the refusal
 */
export function scanBatch(body: Buffer, limits: ScanLimits): Result<ScannedEvent[], ScanRefusal> {
  // This native check covers the whole body, so the functions below need not check bytes from 0x80 up in strings.
  if (!isUtf8(body)) return refused("invalid_request");
  const words = wordsOf(body);
  const events: ScannedEvent[] = [];
  const start = skipSpace(body, 0);
  const end =
    body[start] === OPEN_BRACKET
      ? scanArray(body, start + 1, events, limits, words)
      : addEvent(body, start, events, limits, words);
  if (end < 0) return refused(refusalOf(end));
  return skipSpace(body, end) === body.length ? accepted(events) : refused("invalid_request");
}

/**
 * Scans newline-delimited JSON: objects with a line break between them. An object may also have line breaks inside, and
 * lines may be blank.
 * @returns the events in order, none for a blank body; or the code of the refusal
 */
export function scanLines(body: Buffer, limits: ScanLimits): Result<ScannedEvent[], ScanRefusal> {
  if (!isUtf8(body)) return refused("invalid_request");
  const words = wordsOf(body);
  const events: ScannedEvent[] = [];
  let at = skipSpace(body, 0);
  while (at < body.length) {
    const end = addEvent(body, at, events, limits, words);
    if (end < 0) return refused(refusalOf(end));
    at = skipSpace(body, end);
    if (at < body.length && !hasNewline(body, end, at)) return refused("invalid_request");
  }
  return accepted(events);
}

function refusalOf(code: number): ScanRefusal {
  if (code === TOO_MANY_EVENTS) return "batch_too_large";
  return code === EVENT_TOO_LARGE ? "event_too_large" : "invalid_request";
}

function hasNewline(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === NEWLINE) return true;
  return false;
}

/** Scans an array of events. @returns the position after it, for a `start` after the opening bracket; or a code below 0 */
function scanArray(
  body: Buffer,
  start: number,
  events: ScannedEvent[],
  limits: ScanLimits,
  words: Int32Array,
): number {
  let at = skipSpace(body, start);
  if (body[at] === CLOSE_BRACKET) return at + 1;
  for (;;) {
    at = addEvent(body, at, events, limits, words);
    if (at < 0) return at;
    at = skipSpace(body, at);
    const next = body[at++];
    if (next === CLOSE_BRACKET) return at;
    if (next !== COMMA) return INVALID;
    at = skipSpace(body, at);
  }
}

/** Scans the event at `start` and adds it to the events. @returns the position after it, or a code below 0 */
function addEvent(
  body: Buffer,
  start: number,
  events: ScannedEvent[],
  limits: ScanLimits,
  words: Int32Array,
): number {
  if (body[start] !== OPEN_BRACE) return INVALID;
  if (events.length === limits.maxEventsPerBatch) return TOO_MANY_EVENTS;
  const event: ScannedEvent = {
    start,
    end: start,
    sourceStart: -1,
    sourceEnd: -1,
    ipStart: -1,
    ipEnd: -1,
    isSourceEnriched: false,
    hasTags: false,
  };
  const end = scanEvent(body, start + 1, event, words);
  if (end === INVALID) return INVALID;
  if (end - start > limits.maxEventSizeBytes) return EVENT_TOO_LARGE;
  event.end = end;
  events.push(event);
  return end;
}

/** Scans an event. @returns the position after its closing brace, for a `start` after the opening one; or INVALID */
function scanEvent(bytes: Buffer, start: number, event: ScannedEvent, words: Int32Array): number {
  let at = skipSpace(bytes, start);
  if (bytes[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    if (bytes[at] !== QUOTE) return INVALID;
    const key = at + 1;
    at = skipString(bytes, key, words);
    if (at === INVALID) return INVALID;
    const keyEnd = at - 1;
    at = skipColon(bytes, at);
    if (at === INVALID) return INVALID;
    if (isKey(bytes, key, keyEnd, "source")) {
      event.sourceStart = event.ipStart = -1;
      event.isSourceEnriched = false;
      if (bytes[at] === OPEN_BRACE) {
        event.sourceStart = at;
        at = scanSource(bytes, at + 1, event, words);
        event.sourceEnd = at - 1;
      } else {
        at = skipValue(bytes, at, 2, words);
      }
    } else {
      if (isKey(bytes, key, keyEnd, "tags")) event.hasTags = true;
      at = skipValue(bytes, at, 2, words);
    }
    if (at === INVALID) return INVALID;
    at = skipSpace(bytes, at);
    const next = bytes[at++];
    if (next === CLOSE_BRACE) return at;
    if (next !== COMMA) return INVALID;
    at = skipSpace(bytes, at);
  }
}

/** Scans `source`. @returns the position after its closing brace, for a `start` after the opening one; or INVALID */
function scanSource(bytes: Buffer, start: number, event: ScannedEvent, words: Int32Array): number {
  let at = skipSpace(bytes, start);
  if (bytes[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    if (bytes[at] !== QUOTE) return INVALID;
    const key = at + 1;
    at = skipString(bytes, key, words);
    if (at === INVALID) return INVALID;
    const keyEnd = at - 1;
    at = skipColon(bytes, at);
    if (at === INVALID) return INVALID;
    const value = at;
    at = skipValue(bytes, at, 3, words);
    if (at === INVALID) return INVALID;
    if (isKey(bytes, key, keyEnd, "ip")) {
      const isText = bytes[value] === QUOTE;
      event.ipStart = isText ? value + 1 : -1;
      event.ipEnd = at - 1;
    } else if (
      isKey(bytes, key, keyEnd, "as") ||
      isKey(bytes, key, keyEnd, "geo") ||
      isKey(bytes, key, keyEnd, "domain")
    ) {
      event.isSourceEnriched = true;
    }
    at = skipSpace(bytes, at);
    const next = bytes[at++];
    if (next === CLOSE_BRACE) return at;
    if (next !== COMMA) return INVALID;
    at = skipSpace(bytes, at);
  }
}
