import { expect, test } from "bun:test";
import { fieldsOf } from "../../../server/event/event-fields.ts";
import { SearchTexts } from "../../../server/monitoring/tail/search-texts.ts";

/** An event that counts how often its line is read. */
function countedEvent(ordinal: number, text: string) {
  const bytes = Buffer.from(JSON.stringify({ text }));
  let reads = 0;
  const line = Object.assign(Buffer.from(bytes), {
    toString() {
      reads++;
      return bytes.toString();
    },
  });
  const event = { number: ordinal, ordinal, receivedAt: 0, sensorId: "vps-1", line, fields: fieldsOf({}) };
  return { event, reads: () => reads };
}

/** A document that records when it is read. */
function recordingDocument(ordinal: number, read: number[]): object {
  return new Proxy(
    {},
    {
      ownKeys() {
        read.push(ordinal);
        return [];
      },
    },
  );
}

test("the text of an event is built once, however many viewers search in it", () => {
  const texts = new SearchTexts();
  const { event, reads } = countedEvent(1, "Text");
  expect([texts.of(event), texts.of(event), texts.of(event)]).toEqual(["text", "text", "text"]);
  expect(reads()).toBe(1);
});

test("the cache is bounded, and older texts are evicted first", () => {
  const texts = new SearchTexts(20);
  const events = [1, 2, 3, 4, 5].map((ordinal) => countedEvent(ordinal, `text${ordinal}`));
  for (const { event } of events) texts.of(event);
  for (const { event } of events.toReversed()) texts.of(event);
  expect(events.map(({ reads }) => reads())).toEqual([2, 2, 1, 1, 1]);
});

test("the cache never searches for its oldest text: it evicts half of its texts at once", () => {
  // Two generations of ten texts of ten characters each.
  const texts = new SearchTexts(200);
  const events = Array.from({ length: 100 }, (_, n) => countedEvent(n + 1, "ten digits"));
  for (const { event } of events) texts.of(event);
  // The newest generation is full, and the one before it is still there. Reading caches nothing, from the newest on.
  for (const { event } of events.slice(-20).toReversed()) texts.of(event);
  expect(events.slice(-20).map(({ reads }) => reads())).toEqual(Array(20).fill(1));
  // One more text begins a generation, and all ten texts of the oldest one are evicted.
  texts.of(countedEvent(101, "ten digits").event);
  for (const { event } of events.slice(-10)) texts.of(event);
  for (const { event } of events.slice(-20, -10)) texts.of(event);
  expect(events.slice(-10).map(({ reads }) => reads())).toEqual(Array(10).fill(1));
  expect(events.slice(-20, -10).map(({ reads }) => reads())).toEqual(Array(10).fill(2));
});

test("a text that is larger than the cache is built again each time", () => {
  const texts = new SearchTexts(3);
  const { event, reads } = countedEvent(1, "Longer");
  expect([texts.of(event), texts.of(event)]).toEqual(["longer", "longer"]);
  expect(reads()).toBe(2);
});

test("while a viewer searches, the text of a new event is built before it is requested", () => {
  const texts = new SearchTexts();
  texts.of(countedEvent(1, "requested").event);
  const { event, reads } = countedEvent(2, "Noted");
  texts.note(event, { text: "Noted" });
  expect(texts.of(event)).toBe("noted");
  expect(reads()).toBe(0);
});

test("no text is built while no viewer searches", () => {
  const texts = new SearchTexts();
  const read: number[] = [];
  texts.note(countedEvent(1, "").event, recordingDocument(1, read));
  expect(read).toEqual([]);
});

test("texts are no longer built nor cached after many events without a request", () => {
  const texts = new SearchTexts(1_000, 3);
  const { event, reads } = countedEvent(1, "Text");
  texts.of(event);
  const read: number[] = [];
  for (const ordinal of [2, 3, 4, 5, 6])
    texts.note(countedEvent(ordinal, "").event, recordingDocument(ordinal, read));
  expect(read).toEqual([2, 3, 4]);
  texts.of(event);
  expect(reads()).toBe(2);
});
