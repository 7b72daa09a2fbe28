import { expect, test } from "bun:test";
import { fieldsOf } from "../../server/watch/event-fields.ts";
import { createSearchTexts } from "../../server/watch/search-texts.ts";

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

test("the text of an event is made once, however many search in it", () => {
  const texts = createSearchTexts();
  const { event, reads } = countedEvent(1, "Text");
  expect([texts.of(event), texts.of(event), texts.of(event)]).toEqual(["text", "text", "text"]);
  expect(reads()).toBe(1);
});

test("what is kept of texts is bounded, and the oldest goes first", () => {
  const texts = createSearchTexts(10);
  const events = [1, 2, 3].map((ordinal) => countedEvent(ordinal, `text${ordinal}`));
  for (const { event } of events) texts.of(event);
  for (const { event } of events.toReversed()) texts.of(event);
  expect(events.map(({ reads }) => reads())).toEqual([2, 1, 1]);
});

test("a text beyond the bound is made anew each time, and right", () => {
  const texts = createSearchTexts(3);
  const { event, reads } = countedEvent(1, "Longer");
  expect([texts.of(event), texts.of(event)]).toEqual(["longer", "longer"]);
  expect(reads()).toBe(2);
});

test("nothing is kept once nobody searches any more", () => {
  const texts = createSearchTexts();
  const { event, reads } = countedEvent(1, "Text");
  texts.of(event);
  texts.forget();
  texts.of(event);
  expect(reads()).toBe(2);
});
