import { expect, test } from "bun:test";
import { WrongCursor } from "../../../../server/history/cursor.ts";
import {
  decodeCursor,
  encodeCursor,
  idOf,
  parseId,
  positionAfter,
} from "../../../../server/outputs/clickhouse/history/row-position.ts";

test("a cursor has the whole position", () => {
  const positions = [
    { time: 1_795_000_000_000, hash: 2n ** 64n - 1n, skip: 3 },
    { time: -5, hash: 0n, skip: 1 },
    { time: 7, hash: undefined, skip: 0 },
  ];
  expect(positions.map(encodeCursor).map(decodeCursor)).toEqual(positions);
});

test("a cursor that no answer had is refused", () => {
  for (const cursor of [
    "",
    "x",
    "1-2-3",
    "1-0000000000000001",
    "1'; DROP",
    "1".repeat(30),
    "1-000000000000000g-1",
  ])
    expect(() => decodeCursor(cursor)).toThrow(WrongCursor);
});

test("an id is read back, and another text is not an id", () => {
  const row = { time: 1_795_000_000_000, hash: 255n };
  expect(idOf(row)).toBe("1795000000000-00000000000000ff");
  expect(parseId(idOf(row))).toEqual(row);
  expect(["", "1", "1-ff", "1-00000000000000FF", `${idOf(row)} OR 1`].map(parseId)).toEqual(
    new Array(5).fill(undefined),
  );
});

test("rows that are equal in time and hash are told apart by their number", () => {
  const row = { time: 1, hash: 2n };
  const first = positionAfter(row, undefined);
  const second = positionAfter(row, first);
  expect([first.skip, second.skip, positionAfter({ time: 1, hash: 1n }, second).skip]).toEqual([1, 2, 1]);
});
