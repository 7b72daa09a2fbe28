import { AttackSlice } from "./attack-slice.ts";

/** The slices of one length: the open one, and as many closed ones as a window needs. */
export class RollupLevel {
  readonly #sliceMinutes: number;
  readonly #maxClosed: number;
  readonly #next: RollupLevel | undefined;
  readonly #closed: { readonly index: number; readonly slice: AttackSlice }[] = [];
  #open: { readonly index: number; readonly slice: AttackSlice } | undefined;

  /** @param next the level into which slices are merged when they are closed */
  constructor(sliceMinutes: number, maxClosed: number, next: RollupLevel | undefined) {
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

  /** The minute in which a window of all slices begins, whether they exist or not. */
  firstMinute(minute: number): number {
    return (this.#indexOf(minute) - this.#maxClosed) * this.#sliceMinutes;
  }

  /** The slice for events of this minute, which becomes the open one. */
  sliceOf(minute: number): AttackSlice {
    this.closeBefore(minute);
    this.#open ??= { index: this.#indexOf(minute), slice: new AttackSlice() };
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

  #indexOf(minute: number): number {
    return Math.floor(minute / this.#sliceMinutes);
  }
}
