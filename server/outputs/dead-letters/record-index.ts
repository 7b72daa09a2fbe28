import type { FileHandle } from "node:fs/promises";
import { linesOf, type Span } from "./file.ts";
import { parseDeadLetterLine } from "./record.ts";

/**
 * Which records a dead-letter file holds and where their lines are. The events themselves stay in the file. Damaged lines
 * stay in the file too, so that an operator can examine them.
 */
export class RecordIndex {
  /** By sequence number, in the order of the file: the oldest record first. */
  readonly #records = new Map<number, Span>();
  readonly #damaged: Span[] = [];
  #fileBytes = 0;
  #liveBytes = 0;

  /** Reads a whole file, line by line. */
  static async read(file: FileHandle): Promise<RecordIndex> {
    const index = new RecordIndex();
    for await (const { span, line } of linesOf(file)) {
      const parsed = line && parseDeadLetterLine(line);
      if (!parsed) index.#addDamaged(span.length);
      else if (parsed.kind === "record") index.add(parsed.record.event.sequence, span.length);
      else {
        index.addNote(span.length);
        for (const sequence of parsed.sequences) index.remove(sequence);
      }
    }
    return index;
  }

  get recordCount(): number {
    return this.#records.size;
  }

  get damagedCount(): number {
    return this.#damaged.length;
  }

  /** Where the last whole line ends. Anything behind it is the rest of a write that failed or that a crash interrupted. */
  get fileBytes(): number {
    return this.#fileBytes;
  }

  /** The bytes of the file that a compaction keeps: records and damaged lines. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  has(sequence: number): boolean {
    return this.#records.has(sequence);
  }

  /** The line of a record, if the file holds it. */
  spanOf(sequence: number): Span | undefined {
    return this.#records.get(sequence);
  }

  /** The sequence numbers of the records, the oldest record first. */
  sequences(): Iterable<number> {
    return this.#records.keys();
  }

  /** The lines that a compaction keeps, in the order in which `compacted` places them. */
  liveSpans(): readonly Span[] {
    return [...this.#damaged, ...this.#records.values()];
  }

  /** A record's line was appended to the file. It replaces an older record with the same sequence number. */
  add(sequence: number, lineBytes: number): void {
    this.remove(sequence);
    this.#records.set(sequence, this.#append(lineBytes));
    this.#liveBytes += lineBytes;
  }

  /** A line without a record was appended to the file. */
  addNote(lineBytes: number): void {
    this.#append(lineBytes);
  }

  /** The record's line stays in the file until the next compaction. @returns whether there was such a record */
  remove(sequence: number): boolean {
    const span = this.#records.get(sequence);
    if (!span) return false;
    this.#records.delete(sequence);
    this.#liveBytes -= span.length;
    return true;
  }

  /**
   * Removes damaged lines, then the oldest records, until the rest has at most this many bytes.
   * @returns how many records were removed
   */
  removeOldest(maxLiveBytes: number): number {
    while (this.#liveBytes > maxLiveBytes && this.#damaged.length > 0)
      this.#liveBytes -= this.#damaged.shift()?.length ?? 0;
    let removed = 0;
    for (const sequence of this.#records.keys()) {
      if (this.#liveBytes <= maxLiveBytes) break;
      this.remove(sequence);
      removed++;
    }
    return removed;
  }

  /** The index of a file that holds the lines of `liveSpans`, one after the other, and nothing else. */
  compacted(): RecordIndex {
    const index = new RecordIndex();
    for (const { length } of this.#damaged) index.#addDamaged(length);
    for (const [sequence, { length }] of this.#records) index.add(sequence, length);
    return index;
  }

  #addDamaged(lineBytes: number): void {
    this.#damaged.push(this.#append(lineBytes));
    this.#liveBytes += lineBytes;
  }

  #append(length: number): Span {
    const span = { offset: this.#fileBytes, length };
    this.#fileBytes += length;
    return span;
  }
}
