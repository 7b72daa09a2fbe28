import { DamagedBlob } from "../packed.ts";
import type { FileReader, RowRange } from "./file-reader.ts";
import type { OpenFiles } from "./open-files.ts";
import { IndexedChunk, type Part, Segment } from "./part.ts";
import { type ColumnFilter, hasRows, rowsIn, SelectedRows } from "./selected-rows.ts";
import { chunkAt, divide, type Order, type Span, segmentAt, trigramsAt } from "./span.ts";
import { matchingRows, type TextSearch, undecidedSearches } from "./text-search.ts";

/** Matching rows of one part. */
export interface Block {
  readonly file: FileReader;
  readonly part: Part;
  readonly rows: SelectedRows;
}

/** Rows that were searched; without a part, none of them can be read. */
export interface Searched extends Span {
  readonly part: Part | undefined;
}

export interface FileSearchOptions {
  readonly files: OpenFiles;
  readonly order: Order;
  readonly filter: ColumnFilter;
  readonly texts: readonly TextSearch[];
  /**
   * Takes the matching rows, part by part. It reads what it needs before it changes anything: after DamagedBlob it is called
   * again, with parts whose columns are computed from the documents.
   */
  readonly take: (block: Block) => void;
  /** Told of rows that cannot be read. */
  readonly countDamaged: (rows: number) => void;
}

/**
 * Finds the rows of one file that match. Whatever is damaged in the index of a segment, its rows are found by their documents;
 * only rows whose documents are damaged are lost.
 */
export class FileSearch {
  readonly #file: FileReader;
  readonly #options: FileSearchOptions;

  constructor(file: FileReader, options: FileSearchOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Yields after each step. @throws UnreadableFile */
  *run(span: Span): Generator<Searched> {
    for (const { segment, ...rest } of this.#divide(span, (row) => segmentAt(this.#file, row)))
      if (segment) yield* this.#searchPart(new Segment(this.#file, segment), rest);
      else yield* this.#searchChunks(rest);
  }

  *#searchChunks(span: Span): Generator<Searched> {
    for (const { chunk, ...rest } of this.#divide(span, (row) => chunkAt(this.#file, row))) {
      const part = chunk && this.#try(() => this.#indexed(chunk));
      if (part) yield* this.#searchPart(part, rest);
      else yield this.#lost(rest);
    }
  }

  *#searchPart(part: Part, span: Span): Generator<Searched> {
    const rows = this.#try(() => SelectedRows.select(part, this.#options.filter).within(part, span));
    const flags = rows && this.#options.texts.length > 0 ? this.#try(() => rows.copyFlags(part)) : undefined;
    if (!rows || (!flags && this.#options.texts.length > 0)) yield* this.#searchPartAgain(part, span);
    else if (flags) yield* this.#searchTexts(part, flags, span);
    else yield* this.#take(part, rows, span);
  }

  /** After the index of a part turned out to be damaged. */
  *#searchPartAgain(part: Part, span: Span): Generator<Searched> {
    if (part instanceof Segment) yield* this.#searchChunks(span);
    else yield this.#lost(span);
  }

  /** @param flags 1 for each row of the part that the columns select */
  *#searchTexts(part: Part, flags: Uint8Array, span: Span): Generator<Searched> {
    for (const group of this.#divide(span, (row) => trigramsAt(part.first, row))) {
      const texts = hasRows(flags, part, group) ? this.#undecided(part, group) : undefined;
      if (texts === undefined) yield { ...group, part };
      else if (texts.length === 0) yield* this.#take(part, SelectedRows.of(flags).within(part, group), group);
      else
        for (const { chunk, ...rest } of this.#divide(group, (row) => chunkAt(this.#file, row)))
          if (chunk && hasRows(flags, part, rest)) yield* this.#searchChunk(part, flags, texts, rest);
          else yield { ...rest, part };
    }
  }

  #undecided(part: Part, { from }: Span): readonly TextSearch[] | undefined {
    return undecidedSearches(
      this.#try(() => part.trigrams(from - part.first)),
      this.#options.texts,
    );
  }

  *#searchChunk(
    part: Part,
    flags: Uint8Array,
    texts: readonly TextSearch[],
    span: Span,
  ): Generator<Searched> {
    const candidates = rowsIn(flags, part, span);
    const matching = this.#try(() => {
      const { first, chunk } = this.#file.chunkOf(span.from);
      const skipped = part.first - first;
      const rows = candidates.map((row) => skipped + row);
      return matchingRows(chunk, texts, rows).map((row) => row - skipped);
    });
    if (!matching) {
      this.#options.countDamaged(candidates.length);
      yield { ...span, part };
    } else yield* this.#take(part, SelectedRows.only(part, matching), span);
  }

  *#take(part: Part, rows: SelectedRows, span: Span): Generator<Searched> {
    const isTaken = this.#try(() => {
      this.#options.take({ file: this.#file, part, rows });
      return true;
    });
    if (isTaken) yield { ...span, part };
    else yield* this.#searchPartAgain(part, span);
  }

  #lost(span: Span): Searched {
    this.#options.countDamaged(span.to - span.from);
    return { ...span, part: undefined };
  }

  #indexed(chunk: RowRange): Part {
    return new IndexedChunk(this.#file, chunk, this.#options.files.indexOf(this.#file, chunk));
  }

  #divide<Piece extends Span>(span: Span, spanAt: (row: number) => Piece): Generator<Piece> {
    return divide(span, this.#options.order, spanAt);
  }

  /** @returns undefined if a blob is damaged, or if there is none */
  #try<Result>(read: () => Result): Result | undefined {
    try {
      return read();
    } catch (error) {
      if (error instanceof DamagedBlob) return undefined;
      throw error;
    }
  }
}
