import { type ColumnValues, columnValuesOf } from "../event/columns.ts";
import { fieldsOf } from "../event/event-fields.ts";
import { payloadOf } from "../event/payload.ts";
import { foldCase, searchTextOf } from "../event/search-text.ts";
import type { StoreRow } from "./docs-chunk.ts";

/** Told of what is found in rows while they are written. */
export interface RowObserver {
  /** A row cannot be indexed because of a defect. */
  readonly onDefect: (error: Error) => void;
  /** The values of a row that is stored for the first time. */
  readonly onStored: (receivedAt: number, values: Partial<ColumnValues>) => void;
}

/** What is indexed of a row. */
export interface RowIndex {
  readonly values: Partial<ColumnValues>;
  readonly text: string;
}

/**
 * A row that cannot be indexed because of a defect is stored without values, and text is found in its whole document:
 * otherwise no later event would be stored either.
 * @param onDefect is told of it
 */
export function indexOf({ sensorId, document }: StoreRow, onDefect: (error: Error) => void): RowIndex {
  const json = document.toString();
  try {
    const value: unknown = JSON.parse(json);
    const payload = payloadOf(value);
    return {
      values: columnValuesOf(sensorId, value, fieldsOf(value), payload),
      text: searchTextOf(value, payload),
    };
  } catch (error) {
    onDefect(error as Error);
    return { values: { sensor: sensorId }, text: foldCase(json) };
  }
}
