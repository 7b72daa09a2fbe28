import { WrongCursor } from "../../../history/cursor.ts";

/**
 * Where a row is among all rows by time and by the hash of the document. The table numbers its rows nowhere. Rows that are
 * equal in both have the same document; of these, `skip` were already returned.
 */
export interface RowPosition {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** cityHash64 of the document, which is the same on every version. undefined: the rows of this time are still to come. */
  readonly hash: bigint | undefined;
  readonly skip: number;
}

/** Identifies an event: its time and the hash of its document. Equal documents of the same time have the same id. */
export function idOf({ time, hash }: { readonly time: number; readonly hash: bigint }): string {
  return `${time}-${hash.toString(16).padStart(16, "0")}`;
}

/** @returns undefined if the text is not an id */
export function parseId(id: string): { time: number; hash: bigint } | undefined {
  const [, time, hash] = /^(-?\d{1,15})-([\da-f]{16})$/.exec(id) ?? [];
  return time === undefined ? undefined : { time: Number(time), hash: BigInt(`0x${hash}`) };
}

/** The position after which the next page begins. */
export function encodeCursor({ time, hash, skip }: RowPosition): string {
  return hash === undefined ? String(time) : `${idOf({ time, hash })}-${skip}`;
}

/** @throws WrongCursor if no answer had this cursor */
export function decodeCursor(cursor: string): RowPosition {
  const [, time, , hash, skip] = /^(-?\d{1,15})(-([\da-f]{16})-(\d{1,9}))?$/.exec(cursor) ?? [];
  if (time === undefined) throw new WrongCursor("the cursor is not one of an earlier answer");
  if (hash === undefined) return { time: Number(time), hash: undefined, skip: 0 };
  return { time: Number(time), hash: BigInt(`0x${hash}`), skip: Number(skip) };
}

/** The position of the row after another one, in the order of reading. */
export function positionAfter(
  row: { readonly time: number; readonly hash: bigint },
  last: RowPosition | undefined,
): RowPosition {
  const isRepeated = last?.time === row.time && last.hash === row.hash;
  return { time: row.time, hash: row.hash, skip: isRepeated ? last.skip + 1 : 1 };
}
