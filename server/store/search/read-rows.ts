import type { HistoryEvent } from "../../history/history-reader.ts";
import type { Chunk } from "../docs-chunk.ts";
import { DamagedBlob } from "../packed.ts";
import type { PlacedChunk } from "./file-reader.ts";
import type { Block } from "./file-search.ts";
import type { Order } from "./span.ts";

/** A row with its document, in a chunk. */
export interface ReadRow {
  readonly number: number;
  readonly chunk: Chunk;
  /** Its number in the chunk. */
  readonly row: number;
}

/**
 * Reads the matching rows of a block until they are enough.
 * @param take returns false if the rows are enough
 * @returns the number of rows that could not be read
 */
export function readRows({ file, part, rows }: Block, order: Order, take: (row: ReadRow) => boolean): number {
  if (rows.count === 0) return 0;
  const { flags } = rows;
  let damagedRows = 0;
  let damaged = { from: 0, to: 0 };
  for (let i = 0; i < part.rowCount; i++) {
    const row = order === "oldest" ? i : part.rowCount - 1 - i;
    if (flags?.[row] === 0) continue;
    const number = part.first + row;
    const isDamaged = number >= damaged.from && number < damaged.to;
    const placed = isDamaged ? undefined : tryReadChunk(file, number);
    if (placed) {
      if (!take({ number, chunk: placed.chunk, row: number - placed.first })) break;
    } else {
      damagedRows++;
      if (!isDamaged) damaged = rangeOf(file, number);
    }
  }
  return damagedRows;
}

export function eventOf({ number, chunk, row }: ReadRow): HistoryEvent {
  return {
    id: String(number),
    receivedAt: chunk.receivedAt(row),
    sensorId: chunk.sensorId(row),
    document: chunk.document(row).toString(),
  };
}

function tryReadChunk(file: Block["file"], number: number): PlacedChunk | undefined {
  try {
    return file.chunkOf(number);
  } catch (error) {
    if (error instanceof DamagedBlob) return undefined;
    throw error;
  }
}

/** The rows that are in the same damaged chunk. */
function rangeOf(file: Block["file"], number: number) {
  const chunk = file.chunkUpTo(number);
  return chunk ? { from: chunk.first, to: chunk.first + chunk.rowCount } : { from: number, to: number + 1 };
}
