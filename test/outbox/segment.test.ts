import { expect, test } from "bun:test";
import { eventsBetween, eventsFrom, markDamaged, type Segment } from "../../server/outbox/segment.ts";
import { createRandom } from "../support/random.ts";

/** Events 11 to 30. */
function twentyEvents(): Segment {
  return {
    path: "/outbox/11.seg",
    firstSequence: 11,
    endSequence: 31,
    readableBytes: 64,
    sizeBytes: 64,
    firstReceivedAt: undefined,
    damagedRanges: [],
  };
}

test("events are counted within the segment only", () => {
  const segment = twentyEvents();
  expect([0, 11, 12, 30, 31, 40].map((position) => eventsFrom(segment, position))).toEqual([
    20, 20, 19, 1, 0, 0,
  ]);
  expect(eventsBetween(segment, 5, 15)).toBe(4);
  expect(eventsBetween(segment, 25, 99)).toBe(6);
  expect(eventsBetween(segment, 15, 15)).toBe(0);
});

test("events that were damaged twice count once", () => {
  const segment = twentyEvents();
  expect(markDamaged(segment, 13, 16)).toBe(3);
  expect(markDamaged(segment, 13, 16)).toBe(0);
  expect(markDamaged(segment, 12, 18)).toBe(3);
  expect(eventsFrom(segment, 0)).toBe(14);
});

test("only the damaged events of the segment count", () => {
  const segment = twentyEvents();
  expect(markDamaged(segment, 1, 13)).toBe(2);
  expect(markDamaged(segment, 29, 99)).toBe(2);
  expect(markDamaged(segment, 20, 20)).toBe(0);
  expect(eventsFrom(segment, 0)).toBe(16);
});

test("any damaged ranges count as the set of their events", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = createRandom(seed);
    const segment = twentyEvents();
    const damaged = new Set<number>();
    for (let n = 0; n < 8; n++) {
      const first = 8 + random.below(24);
      const end = first + random.below(8);
      const before = damaged.size;
      for (let sequence = first; sequence < end; sequence++)
        if (sequence >= 11 && sequence < 31) damaged.add(sequence);
      expect(markDamaged(segment, first, end)).toBe(damaged.size - before);
      const from = 8 + random.below(24);
      const readable = Array.from({ length: 20 }, (_, index) => 11 + index).filter(
        (sequence) => sequence >= from && !damaged.has(sequence),
      );
      expect(eventsFrom(segment, from)).toBe(readable.length);
    }
  }
});
