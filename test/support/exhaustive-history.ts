import { addressOfKey } from "../../server/address-key.ts";
import { type ColumnName, type ColumnValues, columns, columnValuesOf } from "../../server/event/columns.ts";
import { fieldsOf } from "../../server/event/event-fields.ts";
import { payloadOf } from "../../server/event/payload.ts";
import { searchTextOf } from "../../server/event/search-text.ts";
import { compileQuery } from "../../server/query/match-event.ts";
import type { Query } from "../../server/query/query.ts";

/** An event in the way in which every reader of a history has to understand it. */
export interface ExaminedEvent {
  readonly time: number;
  readonly values: ColumnValues;
  readonly searchText: string;
  readonly document: string;
}

/** @param sensorId default: `observer.id` @param time default: `@timestamp` */
export function examinedEvent(document: string, sensorId?: string, time?: number): ExaminedEvent {
  const parsed = JSON.parse(document);
  const fields = fieldsOf(parsed);
  const payload = payloadOf(parsed);
  return {
    time: time ?? fields.timestampMs ?? Number.NaN,
    values: columnValuesOf(sensorId ?? parsed.observer.id, parsed, fields, payload),
    searchText: searchTextOf(parsed, payload),
    document,
  };
}

/** A history that examines every event for each query. */
export class ExhaustiveHistory {
  constructor(readonly events: readonly ExaminedEvent[]) {}

  matching(query: Query): ExaminedEvent[] {
    const isMatch = compileQuery(query);
    return this.events.filter(({ time, values, searchText }) => isMatch(time, values, () => searchText));
  }

  /** The numbers of the values; each tag counts by itself. */
  counts(query: Query, column: ColumnName): { counts: Map<string | number, number>; without: number } {
    const counts = new Map<string | number, number>();
    let without = 0;
    for (const { values } of this.matching(query)) {
      const value = values[column];
      if (value === undefined || value === "") without++;
      else for (const one of partsOf(column, value)) counts.set(one, (counts.get(one) ?? 0) + 1);
    }
    return { counts, without };
  }

  top(query: Query, column: ColumnName, limit: number) {
    const { counts, without } = this.counts(query, column);
    const sorted = [...counts].toSorted(([a, m], [b, n]) => n - m || compare(a, b));
    const isAddress = columns[column].kind === "address";
    const values = sorted.slice(0, limit).map(([value, events]) => ({
      value: isAddress ? addressOfKey(String(value)) : value,
      events,
    }));
    const others = sorted.slice(limit).reduce((sum, [, events]) => sum + events, 0);
    return { values, others, without, distinct: counts.size };
  }

  histogram(query: Query, from: number, to: number, intervalMs: number): number[] {
    const counts = new Array<number>(Math.ceil((to - from) / intervalMs)).fill(0);
    for (const { time } of this.matching(query)) {
      const index = Math.floor((time - from) / intervalMs);
      if (time >= from && time < to) counts[index] = (counts[index] ?? 0) + 1;
    }
    return counts;
  }
}

function partsOf(column: ColumnName, value: string | number): readonly (string | number)[] {
  return column === "tags" ? String(value).split("\n") : [value];
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}
