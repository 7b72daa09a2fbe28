import { expect, test } from "bun:test";
import { fieldsOf } from "../../../server/monitoring/sampling/event-fields.ts";
import { createSearchTexts } from "../../../server/monitoring/tail/search-texts.ts";

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

/** A document that writes down when it is read. */
function watchedDocument(ordinal: number, read: number[]): object {
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

test("the text of an event is made once, however many search in it", () => {
  const texts = createSearchTexts();
  const { event, reads } = countedEvent(1, "Text");
  expect([texts.of(event), texts.of(event), texts.of(event)]).toEqual(["text", "text", "text"]);
  expect(reads()).toBe(1);
});

test("what is kept of texts is bounded, and the older ones go first", () => {
  const texts = createSearchTexts(20);
  const events = [1, 2, 3, 4, 5].map((ordinal) => countedEvent(ordinal, `text${ordinal}`));
  for (const { event } of events) texts.of(event);
  for (const { event } of events.toReversed()) texts.of(event);
  expect(events.map(({ reads }) => reads())).toEqual([2, 2, 1, 1, 1]);
});

test("100,000 texts one after the other take their time each, not more and more", () => {
  const texts = createSearchTexts(100_000);
  const fields = fieldsOf({});
  const line = Buffer.from('{"a":"text"}');
  const startedAt = performance.now();
  for (let ordinal = 1; ordinal <= 100_000; ordinal++)
    texts.of({ number: ordinal, ordinal, receivedAt: 0, sensorId: "vps-1", line, fields });
  // 0.2 s; with a search for the oldest in each it took minutes.
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test("a text beyond the bound is made anew each time, and right", () => {
  const texts = createSearchTexts(3);
  const { event, reads } = countedEvent(1, "Longer");
  expect([texts.of(event), texts.of(event)]).toEqual(["longer", "longer"]);
  expect(reads()).toBe(2);
});

test("while somebody searches, the text of a new event is there before it is asked for", () => {
  const texts = createSearchTexts();
  texts.of(countedEvent(1, "asked for").event);
  const { event, reads } = countedEvent(2, "Noted");
  texts.note(event, { text: "Noted" });
  expect(texts.of(event)).toBe("noted");
  expect(reads()).toBe(0);
});

test("no text is made while nobody searches", () => {
  const texts = createSearchTexts();
  const read: number[] = [];
  texts.note(countedEvent(1, "").event, watchedDocument(1, read));
  expect(read).toEqual([]);
});

test("nothing is made nor kept any more once nobody asked for long", () => {
  const texts = createSearchTexts(1_000, 3);
  const { event, reads } = countedEvent(1, "Text");
  texts.of(event);
  const read: number[] = [];
  for (const ordinal of [2, 3, 4, 5, 6])
    texts.note(countedEvent(ordinal, "").event, watchedDocument(ordinal, read));
  expect(read).toEqual([2, 3, 4]);
  texts.of(event);
  expect(reads()).toBe(2);
});
