import { type ColumnValues, columnValuesOf } from "../../../event/columns.ts";
import { fieldsOf } from "../../../event/event-fields.ts";
import { payloadOf } from "../../../event/payload.ts";
import { searchTextOf } from "../../../event/search-text.ts";
import type { Row } from "./document-scan.ts";

/** An event that ClickHouse returned, for a predicate of Loom. */
export interface ExaminedEvent {
  readonly values: ColumnValues;
  readonly searchText: () => string;
}

/** Reads the fields of a row. Everything else may write to the table too, so its document may not be JSON. */
export function examine(row: Row): ExaminedEvent {
  const document = tryParse(row.document);
  const payload = payloadOf(document);
  return {
    values: columnValuesOf(sensorOf(row, document), document, fieldsOf(document), payload),
    searchText: () => searchTextOf(document, payload),
  };
}

/** The sensor of a row: `observer.id`, in which a sensor says its own name. */
export function sensorOf({ sensor, document }: Row, parsed = tryParse(document)): string {
  if (sensor !== "") return sensor;
  const { observer } = (parsed ?? {}) as { observer?: { id?: unknown } | null };
  const id = observer?.id;
  return typeof id === "string" ? id : "";
}

function tryParse(document: Buffer): unknown {
  try {
    return JSON.parse(document.toString());
  } catch {
    // Nothing can be read from it; it is shown as it is.
    return undefined;
  }
}
