import { type CsvColumnName, cellsOf } from "../history/export-formats.ts";
import type { HistoryEvent } from "../history/history-reader.ts";
import { printable } from "../text/printable.ts";
import { truncate } from "../text/truncate.ts";

export const defaultTableColumns: readonly CsvColumnName[] = [
  "received_at",
  "sensor",
  "ip",
  "country",
  "port",
  "path",
  "user",
  "password",
];

const maxCellLength = 40;
const maxDocumentLength = 2_000;

/** A table for people: a heading, then one line for each event. Texts of attackers are escaped and cut. */
export function tableOf(events: readonly HistoryEvent[], names: readonly CsvColumnName[]): string {
  const rows = [names.map((name) => name.toUpperCase()), ...events.map((event) => rowOf(event, names))];
  const widths = names.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

function rowOf(event: HistoryEvent, names: readonly CsvColumnName[]): string[] {
  return cellsOf(event, names).map((cell, i) =>
    printable(truncate(cell, names[i] === "document" ? maxDocumentLength : maxCellLength)),
  );
}
