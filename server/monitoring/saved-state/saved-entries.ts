/*
 * The saved state of the dashboard is a set of entries, each with a kind, a key and a value that is written as JSON. The part
 * that records something decides its kinds, what the keys are, and what is in the values.
 */

/** An entry as it is in the file. */
export type SavedEntry = readonly [kind: string, key: string, json: string];

/** A change of the saved state. An entry with the value undefined is removed. */
export type Change =
  | { readonly kind: string; readonly key: string; readonly value: unknown }
  /** All entries of the kind with keys below this one are removed. */
  | { readonly kind: string; readonly below: string };

/** A part of the dashboard that saves what it records. */
export interface SavedPart {
  /** What changed since the last call. The caller may pause between two changes. */
  changes(): Iterable<Change>;
}

/** The state that was saved before this start. */
export class SavedEntries {
  readonly #byKind: Map<string, SavedEntry[]>;
  /** The number of entries that could not be used. */
  damaged = 0;

  constructor(entries: readonly SavedEntry[]) {
    this.#byKind = Map.groupBy(entries, ([kind]) => kind);
  }

  /**
   * Reads all entries of a kind, in the order of their keys. Their number and size are those of the file.
   * @param use throws if it cannot use the value; the entry is skipped then
   */
  each(kind: string, use: (value: unknown, key: string) => void): void {
    for (const [, key, json] of this.#byKind.get(kind) ?? [])
      try {
        use(JSON.parse(json), key);
      } catch {
        // The number is logged after the start. A part of the state must not prevent the use of the rest.
        this.damaged++;
      }
  }

  /** Reads the entry of a kind that has only one. @returns undefined if there is none that can be used */
  only<Value>(kind: string, read: (value: unknown) => Value): Value | undefined {
    let found: Value | undefined;
    this.each(kind, (value) => {
      found = read(value);
    });
    return found;
  }
}

/** A number as a key: the order of the keys is that of the numbers, from 0 to 9,999,999,999. */
export function numberKey(number: number): string {
  return String(number).padStart(10, "0");
}
