import { type Change, numberKey, type SavedEntries } from "../saved-state/saved-entries.ts";
import { AttackSlice, type SavedSlice } from "./attack-slice.ts";

interface IndexedSlice {
  readonly index: number;
  readonly slice: AttackSlice;
  /** The state that was saved last: the number of events, negative if the slice was closed; undefined: none. */
  savedAs: number | undefined;
}

interface SavedIndexedSlice extends SavedSlice {
  readonly isOpen: boolean;
}

/** The slices of one length: the open one, and as many closed ones as a window needs. */
export class RollupLevel {
  readonly #kind: string;
  readonly #sliceMinutes: number;
  readonly #maxClosed: number;
  readonly #next: RollupLevel | undefined;
  readonly #closed: IndexedSlice[] = [];
  #open: IndexedSlice | undefined;

  /** @param next the level into which slices are merged when they are closed */
  constructor(sliceMinutes: number, maxClosed: number, next: RollupLevel | undefined) {
    this.#kind = `slices ${sliceMinutes}m`;
    this.#sliceMinutes = sliceMinutes;
    this.#maxClosed = maxClosed;
    this.#next = next;
  }

  get open(): AttackSlice | undefined {
    return this.#open?.slice;
  }

  /** The closed slices and the open one, without those that begin before `fromMinute`. */
  slices(fromMinute = Number.NEGATIVE_INFINITY): AttackSlice[] {
    const all = this.#open ? [...this.#closed, this.#open] : this.#closed;
    return all.filter(({ index }) => index * this.#sliceMinutes >= fromMinute).map(({ slice }) => slice);
  }

  /** The minute in which a window of the open slice and so many closed ones begins, whether they exist or not. */
  firstMinute(minute: number, closed = this.#maxClosed): number {
    return (this.#indexOf(minute) - closed) * this.#sliceMinutes;
  }

  /** The slice for events of this minute, which becomes the open one. */
  sliceOf(minute: number): AttackSlice {
    this.closeBefore(minute);
    this.#open ??= { index: this.#indexOf(minute), slice: new AttackSlice(), savedAs: undefined };
    return this.#open.slice;
  }

  /** Closes slices that are over at this minute, on this level and the next ones, and discards those that no window needs. */
  closeBefore(minute: number): void {
    const index = this.#indexOf(minute);
    const open = this.#open;
    if (open && open.index < index) {
      open.slice.prune();
      this.#next?.sliceOf(open.index * this.#sliceMinutes).merge(open.slice);
      this.#closed.push(open);
      this.#open = undefined;
    }
    while (this.#closed[0] && this.#closed[0].index < index - this.#maxClosed) this.#closed.shift();
    this.#next?.closeBefore(minute);
  }

  /** The slices that changed. See SavedPart. */
  *changes(minute: number): Iterable<Change> {
    const all = this.#open ? [...this.#closed, this.#open] : this.#closed;
    for (const indexed of [...all]) {
      const { index, slice, savedAs } = indexed;
      const isOpen = indexed === this.#open;
      const state = isOpen ? slice.kept : -1 - slice.kept;
      if (state === savedAs) continue;
      indexed.savedAs = state;
      const value: SavedIndexedSlice = { isOpen, ...slice.save() };
      yield { kind: this.#kind, key: numberKey(index), value };
    }
    const oldest = this.#indexOf(minute) - this.#maxClosed;
    if (oldest > 0) yield { kind: this.#kind, below: numberKey(oldest) };
  }

  /** Restores the slices, without closing those that are over. To be called before anything else. */
  restore(saved: SavedEntries): void {
    saved.each(this.#kind, (value, key) => {
      const { isOpen, ...saved } = value as SavedIndexedSlice;
      const slice = new AttackSlice();
      slice.restore(saved);
      const indexed = { index: Number(key), slice, savedAs: isOpen ? slice.kept : -1 - slice.kept };
      if (isOpen) this.#open = indexed;
      else this.#closed.push(indexed);
    });
  }

  #indexOf(minute: number): number {
    return Math.floor(minute / this.#sliceMinutes);
  }
}
