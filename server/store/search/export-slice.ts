import type { Query } from "../../query/query.ts";
import type { AnswerContext, Steps } from "./answer-context.ts";
import type { Block } from "./file-search.ts";
import type { OpenFiles } from "./open-files.ts";
import { readRows } from "./read-rows.ts";
import { RowSearch } from "./row-search.ts";
import type { Span } from "./span.ts";

/** A piece of an export. Other queries are answered between two pieces. */
export interface ExportSlice {
  /** Documents, each with a line break. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The rows that are left; undefined: the export is complete. */
  readonly rest: Span | undefined;
  /** The time of receipt of the last row that was searched. */
  readonly searchedTo: number | undefined;
}

/** A slice ends with the document that reaches this. */
const sliceBytes = 1024 * 1024;
const lineBreak = Buffer.from("\n");

/** The rows of an export that begins now. */
export function exportSpan(files: OpenFiles): Span {
  const names = files.list();
  for (const name of names.toReversed()) {
    const end = files.tryEnd(name);
    if (end !== undefined) return { from: names[0]?.firstRow ?? 0, to: end };
  }
  return { from: 0, to: 0 };
}

/** The documents that match among some rows, the oldest first. Rows that cannot be read are left out. */
export function* exportSlice({ files, isPast }: AnswerContext, query: Query, span: Span): Steps<ExportSlice> {
  const lines = new Lines();
  const search = new RowSearch({
    files,
    query,
    order: "oldest",
    isPast,
    span,
    take: (block) => lines.add(block),
  });
  yield* search.run();
  const next = lines.isFull ? lines.next : search.isComplete ? span.to : (search.last?.to ?? span.to);
  return {
    bytes: lines.bytes(),
    rest: next < span.to ? { from: next, to: span.to } : undefined,
    searchedTo: search.searchedBackTo(),
  };
}

class Lines {
  /** The row after the last document. */
  next = 0;
  readonly #pieces: Buffer[] = [];
  #sizeBytes = 0;

  get isFull(): boolean {
    return this.#sizeBytes >= sliceBytes;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(Buffer.concat(this.#pieces));
  }

  /** Adds the documents of a block. @returns false if they are enough */
  add(block: Block): boolean {
    readRows(block, "oldest", ({ number, chunk, row }) => {
      const document = chunk.document(row);
      this.#pieces.push(document, lineBreak);
      this.#sizeBytes += document.length + 1;
      this.next = number + 1;
      return !this.isFull;
    });
    return !this.isFull;
  }
}
