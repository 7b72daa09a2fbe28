import { refused } from "../../result.ts";
import type { StoreRow } from "../../store/docs-chunk.ts";
import type { StoreWriter } from "../../store/store-writer.ts";
import { type ImportRules, importedRow, type LineRefusal } from "./imported-row.ts";
import type { Line } from "./read-lines.ts";

/** A line that is skipped. */
export interface InvalidLine {
  readonly path: string;
  readonly number: number;
  readonly reason: string;
}

export interface ImportCounts {
  events: number;
  /** Of them, those with the time of the import. */
  withoutTime: number;
  invalidLines: number;
  /** Skipped because they are older than the store keeps events. */
  expiredLines: number;
}

/** As many events are stored, and synced, at once. */
const maxBatchRows = 16_384;
const maxBatchBytes = 8 * 1024 * 1024;

const tooLong = refused<LineRefusal>({ kind: "invalid", reason: "it is too long" });

/** Stores the events of lines, many at a time. */
export class Importer {
  /** Of what is stored. */
  readonly counts: ImportCounts = { events: 0, withoutTime: 0, invalidLines: 0, expiredLines: 0 };
  /** The last line that was stored or skipped with all before it, such as "a.ndjson:12". */
  storedTo: string | undefined;
  readonly #writer: StoreWriter;
  readonly #rules: ImportRules;
  readonly #onInvalid: (line: InvalidLine) => void;
  #rows: StoreRow[] = [];
  #rowBytes = 0;
  #withoutTime = 0;
  #readTo: string | undefined;

  constructor(writer: StoreWriter, rules: ImportRules, onInvalid: (line: InvalidLine) => void) {
    this.#writer = writer;
    this.#rules = rules;
    this.#onInvalid = onInvalid;
  }

  /** @throws CannotStore */
  add(path: string, { number, bytes }: Line): void {
    this.#readTo = `${path}:${number}`;
    const read = bytes ? importedRow(bytes, this.#rules) : tooLong;
    if (read.kind === "refused") {
      if (read.refusal.kind === "expired") this.counts.expiredLines++;
      else this.#skip({ path, number, reason: read.refusal.reason });
      return;
    }
    this.#rows.push(read.value.row);
    this.#rowBytes += read.value.row.document.length;
    if (!read.value.hasOwnTime) this.#withoutTime++;
    if (this.#rows.length >= maxBatchRows || this.#rowBytes >= maxBatchBytes) this.flush();
  }

  /** Stores what was added. @throws CannotStore */
  flush(): void {
    if (this.#rows.length > 0) this.#writer.appendImported(this.#rows);
    this.counts.events += this.#rows.length;
    this.counts.withoutTime += this.#withoutTime;
    this.storedTo = this.#readTo;
    this.#rows = [];
    this.#rowBytes = 0;
    this.#withoutTime = 0;
  }

  #skip(line: InvalidLine): void {
    this.counts.invalidLines++;
    this.#onInvalid(line);
  }
}
