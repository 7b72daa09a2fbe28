import { expect, test } from "bun:test";
import { fieldsOf } from "../../../server/event/event-fields.ts";
import { RecentEvents } from "../../../server/monitoring/tail/recent-events.ts";
import { createRandom } from "../../support/random.ts";

const fields = fieldsOf({});

function event(number: number, ordinal: number, bytes = 100) {
  return { number, ordinal, receivedAt: 0, sensorId: "vps-1", line: Buffer.alloc(bytes), fields };
}

test("an event is found by its ordinal and by its number while it is held", () => {
  const recent = new RecentEvents({ maxBytes: 1e6, maxCount: 3 });
  for (const [index, number] of [2, 5, 9, 11].entries()) recent.add(event(number, index + 1));
  expect([0, 1, 2, 3, 4, 5].map((ordinal) => recent.at(ordinal)?.number)).toEqual([
    ...[undefined, undefined, 5, 9, 11, undefined],
  ]);
  expect([2, 4, 5, 6, 9, 11, 12].map((number) => recent.byNumber(number)?.ordinal)).toEqual([
    ...[undefined, undefined, 2, undefined, 3, 4, undefined],
  ]);
  expect(recent.lastEvicted).toEqual({ number: 2, ordinal: 1 });
  expect(recent.count).toBe(3);
});

test("there are no events at the start", () => {
  const recent = new RecentEvents({ maxBytes: 1e6 });
  expect(recent.lastEvicted).toEqual({ number: 0, ordinal: 0 });
  expect(recent.positionAt(7)).toEqual({ number: 7, ordinal: 0 });
  expect([recent.at(0), recent.at(1), recent.byNumber(1)]).toEqual([undefined, undefined, undefined]);
});

test("a position counts the sampled events up to a number, whether that event was sampled or not", () => {
  const recent = new RecentEvents({ maxBytes: 1e6 });
  for (const [index, number] of [2, 5, 9].entries()) recent.add(event(number, index + 1));
  const ordinals = [0, 1, 2, 4, 5, 8, 9, 100].map((number) => recent.positionAt(number).ordinal);
  expect(ordinals).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
});

test("the memory stays within the limit, with the overhead of each event", () => {
  const recent = new RecentEvents({ maxBytes: 100_000 });
  for (let ordinal = 1; ordinal <= 1_000; ordinal++) recent.add(event(ordinal, ordinal, ordinal % 500));
  expect(recent.bytes).toBeWithin(90_000, 100_001);
  expect(recent.count).toBeLessThan(100_000 / 500);
});

test("the newest event is held even if it exceeds the limit", () => {
  const recent = new RecentEvents({ maxBytes: 10_000 });
  recent.add(event(1, 1));
  recent.add(event(2, 2, 500_000));
  expect([recent.at(1), recent.at(2)?.number, recent.count]).toEqual([undefined, 2, 1]);
  recent.add(event(3, 3));
  expect([recent.at(2), recent.at(3)?.number, recent.count]).toEqual([undefined, 3, 1]);
  expect(recent.bytes).toBeLessThan(10_000);
});

test("it holds the same events as a list", () => {
  const random = createRandom(4);
  const recent = new RecentEvents({ maxBytes: 60_000, maxCount: 40 });
  let number = 0;
  const added: ReturnType<typeof event>[] = [];
  for (let ordinal = 1; ordinal <= 3_000; ordinal++) {
    number += 1 + random.below(3);
    const next = event(number, ordinal, random.below(3_000));
    added.push(next);
    recent.add(next);
    const here = added.slice(-recent.count);
    expect(recent.bytes).toBe(here.reduce((bytes, { line }) => bytes + line.length + 768, 0));
    const probe = random.below(number + 3);
    expect(recent.byNumber(probe)).toBe(here.find((one) => one.number === probe) as (typeof here)[0]);
    if (probe < recent.lastEvicted.number) continue;
    expect(recent.positionAt(probe).ordinal).toBe(added.filter((one) => one.number <= probe).length);
  }
});
