import { expect, test } from "bun:test";
import { OutputPosition } from "../../server/outbox/output-position.ts";
import type { Segment } from "../../server/outbox/segment.ts";

function segment(firstSequence: number, endSequence: number): Segment {
  return {
    path: `/outbox/${firstSequence}.seg`,
    firstSequence,
    endSequence,
    readableBytes: 64,
    sizeBytes: 64,
    firstReceivedAt: undefined,
    damagedRanges: [],
  };
}

/** Three segments of ten events: 1 to 10, 11 to 20, 21 to 30. */
const segments = () => [segment(1, 11), segment(11, 21), segment(21, 31)];
const start = { position: 1, borderEnd: 0 };

/** The events of a batch, by their sequence numbers. */
const eventsOf = (...sequences: readonly number[]) => sequences.map((sequence) => ({ sequence }));

function stateOf({ position, borderEnd, isInFlight, droppedEvents, undecidedEvents, drops }: OutputPosition) {
  return { position, borderEnd, isInFlight, droppedEvents, undecidedEvents, drops };
}

test("a batch that was handed out is in flight until it is acknowledged", () => {
  const position = new OutputPosition(start);
  expect(position.isInFlight).toBe(false);
  position.handOut(5);
  expect(position).toMatchObject({ position: 1, borderEnd: 6, isInFlight: true });
  expect(position.acknowledge(eventsOf(1, 2, 3, 4, 5), 6, segments())).toEqual([]);
  expect(position).toMatchObject({ position: 6, borderEnd: 0, isInFlight: false });
});

test("a batch in flight keeps its end when fewer of its events can be read", () => {
  const position = new OutputPosition({ position: 1, borderEnd: 6 });
  position.handOut(3);
  expect(position).toMatchObject({ position: 1, borderEnd: 6 });
});

test("a batch whose border is at the position is not in flight", () => {
  expect(new OutputPosition({ position: 6, borderEnd: 6 }).isInFlight).toBe(false);
});

test("undoing a hand-out restores position and border", () => {
  const position = new OutputPosition({ position: 3, borderEnd: 2 });
  const before = position.handOut(9);
  position.undoHandOut(before);
  expect(position).toMatchObject({ position: 3, borderEnd: 2 });
});

test("undoing a hand-out after a drop leaves the position where the drop moved it", () => {
  const position = new OutputPosition(start);
  const before = position.handOut(15);
  position.dropBefore(11, segments(), 0);
  position.undoHandOut(before);
  expect(position).toMatchObject({ position: 11, borderEnd: 16 });
});

test("events that nobody holds are dropped at once", () => {
  const position = new OutputPosition({ position: 4, borderEnd: 0 });
  expect(position.dropBefore(11, segments(), 0)).toBe(true);
  expect(stateOf(position)).toEqual({
    position: 11,
    borderEnd: 0,
    isInFlight: false,
    droppedEvents: 7,
    undecidedEvents: 0,
    drops: 1,
  });
});

test("only the events of removed segments are dropped", () => {
  const position = new OutputPosition(start);
  position.dropBefore(21, segments(), 0);
  expect(position).toMatchObject({ position: 21, droppedEvents: 20 });
});

test("damaged events are not dropped too", () => {
  const position = new OutputPosition(start);
  const [oldest, ...others] = segments();
  if (!oldest) throw new Error("no segment");
  position.dropBefore(11, [{ ...oldest, damagedRanges: [{ first: 3, end: 6 }] }, ...others], 0);
  expect(position.droppedEvents).toBe(7);
});

test("a batch whose border was forgotten is not in flight, and the position stays", () => {
  const position = new OutputPosition(start);
  position.handOut(4);
  position.forgetBorder();
  expect(position).toMatchObject({ position: 1, borderEnd: 0, isInFlight: false });
});

test("a drop before the position changes nothing", () => {
  const position = new OutputPosition({ position: 11, borderEnd: 0 });
  expect(position.dropBefore(11, segments(), 0)).toBe(false);
  expect(stateOf(position)).toMatchObject({ position: 11, droppedEvents: 0, drops: 0 });
});

test("events of the batch in flight stay undecided when they are dropped", () => {
  const position = new OutputPosition(start);
  position.handOut(4);
  position.dropBefore(11, segments(), 5);
  expect(position).toMatchObject({ position: 11, undecidedEvents: 4, droppedEvents: 6, isInFlight: false });
});

test("the rest of a batch in flight that was dropped in part stays in flight with its end", () => {
  const position = new OutputPosition(start);
  position.handOut(15);
  position.dropBefore(11, segments(), 16);
  expect(position).toMatchObject({ position: 11, undecidedEvents: 10, droppedEvents: 0, borderEnd: 16 });
  expect(position.isInFlight).toBe(true);
});

test("undecided events become dropped, or are delivered", () => {
  const decisions = [
    (position: OutputPosition) => position.countUndecidedAsDropped(),
    (position: OutputPosition) => void position.acknowledge(eventsOf(1, 2, 3, 4), 5, segments().slice(1)),
  ];
  const counts = decisions.map((decide) => {
    const position = new OutputPosition(start);
    position.handOut(4);
    position.dropBefore(11, segments(), 5);
    decide(position);
    return [position.droppedEvents, position.undecidedEvents];
  });
  expect(counts).toEqual([
    [10, 0],
    [6, 0],
  ]);
});

test("an acknowledgement that a drop has overtaken moves nothing back", () => {
  const position = new OutputPosition(start);
  position.handOut(4);
  position.dropBefore(11, segments(), 5);
  expect(position.acknowledge(eventsOf(1, 2, 3, 4), 5, segments().slice(1))).toEqual([]);
  expect(position).toMatchObject({ position: 11, borderEnd: 5 });
});

test("an acknowledgement up to the place that a drop has reached ends the batch in flight", () => {
  const position = new OutputPosition(start);
  position.handOut(10);
  position.dropBefore(11, segments(), 11);
  const batch = eventsOf(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  expect(position.acknowledge(batch, 11, segments().slice(1))).toEqual([]);
  expect(position).toMatchObject({ position: 11, borderEnd: 0 });
});

test("events before, within and between those of an acknowledged batch are damaged, by segment", () => {
  const position = new OutputPosition(start);
  const [first, second, third] = segments();
  if (!first || !second || !third) throw new Error("no segment");
  position.handOut(22);
  const holes = position.acknowledge(eventsOf(3, 4, 8, 22), 23, [first, second, third]);
  expect(holes).toEqual([
    { segment: first, first: 1, end: 3 },
    { segment: first, first: 5, end: 8 },
    { segment: first, first: 9, end: 11 },
    { segment: second, first: 11, end: 21 },
    { segment: third, first: 21, end: 22 },
  ]);
  expect(position).toMatchObject({ position: 23, damagedEvents: 18 });
});

test("events that were damaged at the start, and numbers that no segment has, do not count as damaged again", () => {
  const position = new OutputPosition(start);
  const known = { ...segment(1, 11), damagedRanges: [{ first: 2, end: 5 }] };
  const holes = position.skipTo(31, [known, segment(21, 31)]);
  expect(holes.map(({ first, end }) => [first, end])).toEqual([
    [1, 11],
    [21, 31],
  ]);
  expect(position).toMatchObject({ position: 31, damagedEvents: 17 });
});

test("of a batch that was dropped in part, events that could not be read count as dropped or as damaged", () => {
  const position = new OutputPosition(start);
  position.handOut(15);
  position.dropBefore(11, segments(), 16);
  const [, second, third] = segments();
  if (!second || !third) throw new Error("no segment");
  expect(position.acknowledge(eventsOf(1, 2, 3, 12, 15), 16, [second, third])).toEqual([
    { segment: second, first: 11, end: 12 },
    { segment: second, first: 13, end: 15 },
  ]);
  expect(position).toMatchObject({ droppedEvents: 7, damagedEvents: 3, undecidedEvents: 0, position: 16 });
});
