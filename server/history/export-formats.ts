import { addressOfKey } from "../address-key.ts";
import { type ColumnName, columnNames, columns, columnValuesOf } from "../event/columns.ts";
import { fieldsOf } from "../event/event-fields.ts";
import { payloadOf } from "../event/payload.ts";
import type { HistoryEvent } from "./history-reader.ts";

/** What a CSV export can have in a column: about the event itself, or a column by which events are searched. */
export const csvColumnNames = ["id", "received_at", "timestamp", ...columnNames, "document"] as const;
export type CsvColumnName = (typeof csvColumnNames)[number];

export const defaultCsvColumns: readonly CsvColumnName[] = [
  "received_at",
  "sensor",
  "ip",
  "country",
  "asn",
  "port",
  "path",
  "user_agent",
  "user",
  "password",
  "payload",
];

export interface ExportFormat {
  readonly contentType: string;
  /** For the file name, without the dot. */
  readonly extension: string;
  /** What precedes the events. */
  readonly head: string;
  /** @returns one or more lines, each with its end */
  encode(events: readonly HistoryEvent[]): string;
}

/** One document per line, byte for byte as it was delivered. */
export const ndjsonFormat: ExportFormat = {
  contentType: "application/x-ndjson",
  extension: "ndjson",
  head: "",
  encode: (events) => events.map(({ document }) => `${document}\n`).join(""),
};

/** CSV (RFC 4180) with a header line. */
export function csvFormat(names: readonly CsvColumnName[]): ExportFormat {
  return {
    contentType: "text/csv; charset=utf-8",
    extension: "csv",
    head: csvLine(names),
    encode: (events) => events.map((event) => csvLine(cellsOf(event, names))).join(""),
  };
}

export function isCsvColumnName(name: string): name is CsvColumnName {
  return csvColumnNames.some((known) => known === name);
}

/** The texts of an event in these columns; "" where it has no value. */
export function cellsOf(event: HistoryEvent, names: readonly CsvColumnName[]): string[] {
  let values: ReturnType<typeof valuesOf> | undefined;
  return names.map((name) => {
    switch (name) {
      case "id":
        return event.id;
      case "received_at":
        return new Date(event.receivedAt).toISOString();
      case "document":
        return event.document;
      default:
        values ??= valuesOf(event);
        return name === "timestamp" ? isoTime(values.timestampMs) : columnText(name, values.columns[name]);
    }
  });
}

function valuesOf({ sensorId, document: text }: HistoryEvent) {
  const document = tryParse(text);
  const fields = fieldsOf(document);
  return {
    timestampMs: fields.timestampMs,
    columns: columnValuesOf(sensorId, document, fields, payloadOf(document)),
  };
}

/** Every event that Loom keeps is JSON. Others may write to the table of a database too. */
function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // An event without values.
    return undefined;
  }
}

/** The text of a value: an address as its usual spelling, tags separated by spaces. */
export function columnText(name: ColumnName, value: string | number | undefined): string {
  if (value === undefined) return "";
  if (columns[name].kind === "address") return addressOfKey(String(value));
  return name === "tags" ? String(value).replaceAll("\n", " ") : String(value);
}

function isoTime(ms: number | undefined): string {
  return ms === undefined ? "" : new Date(ms).toISOString();
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

/**
 * Texts are from attackers. A spreadsheet takes a cell that begins with one of these characters for a formula, and may run it
 * (https://owasp.org/www-community/attacks/CSV_Injection), so such a cell gets an apostrophe.
 */
const formulaStart = /^[=+\-@\t\r]/;

function csvCell(text: string): string {
  const safe = formulaStart.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
