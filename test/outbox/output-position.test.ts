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

function stateOf({ position, borderEnd, isInFlight, droppedEvents, undecidedEvents, drops }: OutputPosition) {
  return { position, borderEnd, isInFlight, droppedEvents, undecidedEvents, drops };
}

test("a batch that was handed out is in flight until it is acknowledged", () => {
  const position = new OutputPosition(start);
  expect(position.isInFlight).toBe(false);
  position.handOut(1, 5);
  expect(position).toMatchObject({ position: 1, borderEnd: 6, isInFlight: true });
  expect(position.acknowledgeTo(6)).toBe(true);
  expect(position).toMatchObject({ position: 6, borderEnd: 0, isInFlight: false });
});

test("a batch in flight keeps its end when fewer of its events can be read", () => {
  const position = new OutputPosition({ position: 1, borderEnd: 6 });
  position.handOut(2, 3);
  expect(position).toMatchObject({ position: 2, borderEnd: 6 });
});

test("a batch whose border is at the position is not in flight", () => {
  expect(new OutputPosition({ position: 6, borderEnd: 6 }).isInFlight).toBe(false);
});

test("undoing a hand-out restores position and border", () => {
  const position = new OutputPosition({ position: 3, borderEnd: 2 });
  const before = position.handOut(5, 9);
  position.undoHandOut(before);
  expect(position).toMatchObject({ position: 3, borderEnd: 2 });
});

test("undoing a hand-out after a drop leaves the position where the drop moved it", () => {
  const position = new OutputPosition(start);
  const before = position.handOut(1, 15);
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
  position.handOut(1, 4);
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
  position.handOut(1, 4);
  position.dropBefore(11, segments(), 5);
  expect(position).toMatchObject({ position: 11, undecidedEvents: 4, droppedEvents: 6, isInFlight: false });
});

test("the rest of a batch in flight that was dropped in part stays in flight with its end", () => {
  const position = new OutputPosition(start);
  position.handOut(1, 15);
  position.dropBefore(11, segments(), 16);
  expect(position).toMatchObject({ position: 11, undecidedEvents: 10, droppedEvents: 0, borderEnd: 16 });
  expect(position.isInFlight).toBe(true);
});

test("undecided events become dropped, or are delivered", () => {
  const decisions = [
    (position: OutputPosition) => position.countUndecidedAsDropped(),
    (position: OutputPosition) => position.countUndecidedAsDelivered(),
  ];
  const counts = decisions.map((decide) => {
    const position = new OutputPosition(start);
    position.handOut(1, 4);
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
  position.handOut(1, 4);
  position.dropBefore(11, segments(), 5);
  expect(position.acknowledgeTo(5)).toBe(false);
  expect(position).toMatchObject({ position: 11, borderEnd: 5 });
});

test("an acknowledgement up to the place that a drop has reached ends the batch in flight", () => {
  const position = new OutputPosition(start);
  position.handOut(1, 10);
  position.dropBefore(11, segments(), 11);
  expect(position.acknowledgeTo(11)).toBe(true);
  expect(position).toMatchObject({ position: 11, borderEnd: 0 });
});
