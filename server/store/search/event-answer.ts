import type { HistoryEvent } from "../../history/history-reader.ts";
import { DamagedBlob } from "../packed.ts";
import type { OpenFiles } from "./open-files.ts";
import { UnreadableFile } from "./read-only-database.ts";
import { eventOf } from "./read-rows.ts";

/** The event with a number; undefined: it is not stored any more, was never stored, or cannot be read. */
export function eventAnswer(files: OpenFiles, number: number): HistoryEvent | undefined {
  const name = files.list().findLast(({ firstRow }) => firstRow <= number);
  try {
    const file = name && files.tryOpen(name);
    if (!file || number >= file.end()) return undefined;
    const { first, chunk } = file.chunkOf(number);
    return eventOf({ number, chunk, row: number - first });
  } catch (error) {
    if (error instanceof DamagedBlob || error instanceof UnreadableFile) return undefined;
    throw error;
  }
}
