import type { Query } from "../query/query.ts";

/*
 * Cursors of answers: where the next answer to the same query continues. A cursor is the number of an event, and a hash of
 * the query's terms. The bounds of time are not part of it, because "the last 24 hours" are others with each request.
 */

/** A cursor is not one of an answer to this query. */
export class WrongCursor extends Error {
  override readonly name = "WrongCursor";
}

const pattern = /^v1-([1-9a-z][0-9a-z]{0,10})-([0-9a-f]{16})$/;

/** @param before the answer continues with the events before this number */
export function cursorOf(query: Query, before: number): string {
  return `v1-${before.toString(36)}-${hashOf(query)}`;
}

/** @returns the number before which the answer continues @throws WrongCursor */
export function numberOfCursor(query: Query, cursor: string): number {
  const [, number, hash] = pattern.exec(cursor) ?? [];
  if (number === undefined) throw new WrongCursor("the cursor is not one that an answer had");
  if (hash !== hashOf(query)) throw new WrongCursor("the cursor is from an answer to another query");
  return Number.parseInt(number, 36);
}

function hashOf({ terms }: Query): string {
  return Bun.hash.xxHash64(JSON.stringify(terms)).toString(16).padStart(16, "0");
}
