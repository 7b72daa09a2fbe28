import { rowsPerTrigrams } from "../schema.ts";
import type { FileReader, RowRange, SegmentRange } from "./file-reader.ts";

/** Rows of one file by their numbers, `to` not included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Ascending or descending numbers. */
export type Order = "oldest" | "newest";

/**
 * Divides a span in an order.
 * @param spanAt the piece that has a row, which may reach beyond the span
 */
export function* divide<Piece extends Span>(
  { from, to }: Span,
  order: Order,
  spanAt: (row: number) => Piece,
): Generator<Piece> {
  let [first, end] = [from, to];
  while (first < end) {
    const piece = spanAt(order === "oldest" ? first : end - 1);
    const clipped = { ...piece, from: Math.max(first, piece.from), to: Math.min(end, piece.to) };
    yield clipped;
    if (order === "oldest") first = clipped.to;
    else end = clipped.from;
  }
}

/** The segment that has a row, or the rows around it that are in no segment. @throws UnreadableFile */
export function segmentAt(file: FileReader, row: number): Span & { readonly segment?: SegmentRange } {
  const segment = file.segmentUpTo(row);
  if (!segment) return { from: 0, to: file.nextSegmentAfter(row) };
  const end = segment.first + segment.rowCount;
  if (row < end) return { from: segment.first, to: end, segment };
  return { from: end, to: file.nextSegmentAfter(row) };
}

/** The chunk that has a row, or the rows around it that are in none, because they are lost. @throws UnreadableFile */
export function chunkAt(file: FileReader, row: number): Span & { readonly chunk?: RowRange } {
  const chunk = file.chunkUpTo(row);
  const end = chunk ? chunk.first + chunk.rowCount : 0;
  if (chunk && row < end) return { from: chunk.first, to: end, chunk };
  return { from: end, to: file.nextChunkAfter(row) };
}

/** The rows of a segment that share a bitmap of trigrams with a row. */
export function trigramsAt(segmentFirst: number, row: number): Span {
  const from = row - ((row - segmentFirst) % rowsPerTrigrams);
  return { from, to: from + rowsPerTrigrams };
}
