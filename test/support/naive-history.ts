import { addressOfKey } from "../../server/address-key.ts";
import { type ColumnName, columns } from "../../server/event/columns.ts";
import type { TopValue } from "../../server/history/history-reader.ts";
import { compileQuery } from "../../server/query/match-event.ts";
import type { Query } from "../../server/query/query.ts";
import type { VariedEvent } from "./varied-events.ts";

/** The events that match, by asking each of them, in their order. */
export function naiveMatches<Event extends VariedEvent>(events: readonly Event[], query: Query): Event[] {
  const isMatch = compileQuery(query);
  return events.filter(({ receivedAt, values, text }) => isMatch(receivedAt, values, () => text));
}

/** @returns all values, the most frequent first, and the number of events without any */
export function naiveTop(matches: readonly VariedEvent[], column: ColumnName) {
  const values = matches.map((event) => event.values[column]);
  const counted = values.flatMap((value) => {
    if (value === undefined) return [];
    return column === "tags" ? String(value).split("\n") : [value];
  });
  const groups = [...Map.groupBy(counted, (value) => value)].sort(
    ([a, m], [b, n]) => n.length - m.length || (a < b ? -1 : 1),
  );
  const shown = (value: string | number) =>
    columns[column].kind === "address" ? addressOfKey(String(value)) : value;
  return {
    values: groups.map(([value, { length }]): TopValue => ({ value: shown(value), events: length })),
    without: values.filter((value) => value === undefined).length,
  };
}
