import { addressOfKey } from "../../../address-key.ts";
import { type ColumnName, columns } from "../../../event/columns.ts";
import type { TopAnswer, TopValue } from "../../../history/history-reader.ts";

/** Values beyond this number are counted as others. */
const maxValues = 100_000;

/** Counts the values of a column in events that Loom reads itself. */
export class ScannedTop {
  readonly #column: ColumnName;
  readonly #counts = new Map<string | number, number>();
  #others = 0;
  #without = 0;

  constructor(column: ColumnName) {
    this.#column = column;
  }

  add(value: string | number | undefined): void {
    if (value === undefined || value === "") this.#without++;
    else if (this.#column === "tags") for (const tag of String(value).split("\n")) this.#count(tag);
    else this.#count(value);
  }

  /** The answer, as it is after the events that were added. */
  answer(limit: number): Pick<TopAnswer, "values" | "others" | "without" | "distinct"> {
    const sorted = [...this.#counts].toSorted(([a, m], [b, n]) => n - m || compare(a, b));
    const isAddress = columns[this.#column].kind === "address";
    const values: TopValue[] = sorted.slice(0, limit).map(([value, events]) => ({
      value: isAddress ? addressOfKey(String(value)) : value,
      events,
    }));
    const rest = sorted.slice(limit).reduce((sum, [, events]) => sum + events, 0);
    const isWhole = this.#others === 0;
    return {
      values,
      others: rest + this.#others,
      without: this.#without,
      distinct: isWhole ? this.#counts.size : undefined,
    };
  }

  #count(value: string | number): void {
    const events = this.#counts.get(value);
    if (events !== undefined || this.#counts.size < maxValues) this.#counts.set(value, (events ?? 0) + 1);
    else this.#others++;
  }
}

/** By code points, as ClickHouse compares the bytes of UTF-8. */
function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}
