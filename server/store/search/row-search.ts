import type { Progress } from "../../history/history-reader.ts";
import type { Query } from "../../query/query.ts";
import { DamagedBlob } from "../packed.ts";
import { dayMs, maxRowsPerFile, type StoreFileName } from "../store-file-name.ts";
import type { FileReader } from "./file-reader.ts";
import { type Block, FileSearch, type FileSearchOptions, type Searched } from "./file-search.ts";
import type { OpenFiles } from "./open-files.ts";
import { UnreadableFile } from "./read-only-database.ts";
import { compileColumnFilter } from "./selected-rows.ts";
import type { Order, Span } from "./span.ts";
import { compileTextSearches } from "./text-search.ts";

export interface RowSearchOptions {
  readonly files: OpenFiles;
  readonly query: Query;
  readonly order: Order;
  /** Only rows with these numbers; default all. */
  readonly span?: Span;
  /** Asked after each step: whether the search has to end. */
  readonly isPast: () => boolean;
  /** As of FileSearchOptions. @returns false: the rows are enough */
  readonly take: (block: Block) => boolean;
}

/** Finds the rows that match a query, in the order of their numbers or against it, and hands them over part by part. */
export class RowSearch {
  readonly #options: RowSearchOptions;
  readonly #searchOptions: FileSearchOptions;
  #state: "searching" | "enough" | "past" = "searching";
  #last: (Searched & { readonly file: FileReader }) | undefined;
  #damagedEvents = 0;

  constructor(options: RowSearchOptions) {
    this.#options = options;
    this.#searchOptions = {
      files: options.files,
      order: options.order,
      filter: compileColumnFilter(options.query),
      texts: compileTextSearches(options.query),
      take: (block) => {
        if (this.#state === "searching" && !options.take(block)) this.#state = "enough";
      },
      countDamaged: (rows) => this.countDamaged(rows),
    };
  }

  /** False: the search ended because its time was over. */
  get isComplete(): boolean {
    return this.#state !== "past";
  }

  /** The rows that were searched last; those after them, or before them, are left. */
  get last(): Span | undefined {
    return this.#last;
  }

  /** The number of rows that could not be read. */
  get damagedEvents(): number {
    return this.#damagedEvents;
  }

  /** The time of receipt of the row that was searched last, in milliseconds since the epoch. */
  searchedBackTo(): number | undefined {
    const { file, part, from } = this.#last ?? {};
    if (file === undefined || part === undefined || from === undefined) return undefined;
    if (from === part.first) return part.t0;
    try {
      const { first, chunk } = file.chunkOf(from);
      return chunk.receivedAt(from - first);
    } catch (error) {
      if (error instanceof DamagedBlob || error instanceof UnreadableFile) return part.t1;
      throw error;
    }
  }

  countDamaged(rows: number): void {
    this.#damagedEvents += rows;
  }

  /** Yields after each step. */
  *run(): Generator<Progress, void> {
    const spans = this.#spans();
    for (const [i, { name, span }] of spans.entries())
      for (const share of this.#searchFile(name, span)) {
        yield { share: (i + share) / spans.length, searchedBackTo: this.#last?.part?.t0 };
        const isLeft = i + share < spans.length;
        if (this.#state === "searching" && isLeft && this.#options.isPast()) this.#state = "past";
        if (this.#state !== "searching") return;
      }
  }

  /** The rows of each file that are to be searched. The end of the last file is not known. */
  #spans() {
    const { from, to } = this.#options.span ?? { from: 0, to: Number.POSITIVE_INFINITY };
    const names = this.#options.files.list();
    const spans = names
      .map((name, i) => {
        const end = names[i + 1]?.firstRow ?? Number.POSITIVE_INFINITY;
        return { name, span: { from: Math.max(from, name.firstRow), to: Math.min(to, end) } };
      })
      .filter(({ name, span }) => span.from < span.to && this.#mayMatch(name));
    return this.#options.order === "newest" ? spans.toReversed() : spans;
  }

  /** A file has rows of its day and of the day before it (store-writer.ts). */
  #mayMatch({ day }: StoreFileName): boolean {
    const { since, until } = this.#searchOptions.filter;
    return day <= 1 || ((day + 1) * dayMs > since && (day - 1) * dayMs < until);
  }

  /** Yields the share of the rows that was searched. */
  *#searchFile(name: StoreFileName, { from, to }: Span): Generator<number> {
    let left = to - from;
    try {
      const file = this.#options.files.tryOpen(name);
      if (!file) return;
      const total = Math.min(to, file.end()) - from;
      left = total;
      for (const searched of new FileSearch(file, this.#searchOptions).run({ from, to: from + total })) {
        this.#last = { ...searched, file };
        left -= searched.to - searched.from;
        yield 1 - left / total;
      }
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error;
      // Numbers are skipped after a damaged file, so that a large number of rows says nothing.
      this.countDamaged(left < maxRowsPerFile ? left : 1);
    }
  }
}
