import {
  SavedEntries,
  type SavedEntry,
  type SavedPart,
} from "../../server/monitoring/saved-state/saved-entries.ts";

/** Entries as they are in the file, without a file. */
export class MemoryState {
  readonly #entries = new Map<string, SavedEntry>();

  /** Applies the changes of the parts. */
  save(...parts: readonly SavedPart[]): void {
    for (const part of parts)
      for (const change of part.changes()) {
        if ("below" in change) {
          for (const [id, [kind, key]] of this.#entries)
            if (kind === change.kind && key < change.below) this.#entries.delete(id);
          continue;
        }
        const { kind, key, value } = change;
        const id = JSON.stringify([kind, key]);
        if (value === undefined) this.#entries.delete(id);
        else this.#entries.set(id, [kind, key, JSON.stringify(value)]);
      }
  }

  /** What a Loom that starts now reads, in the order of the keys. */
  saved(): SavedEntries {
    const entries = [...this.#entries.values()];
    return new SavedEntries(entries.sort(([a, b], [c, d]) => compare(a, c) || compare(b, d)));
  }

  /** The number of entries of a kind. */
  count(kind: string): number {
    return [...this.#entries.values()].filter(([of]) => of === kind).length;
  }

  /** Replaces the values of all entries of a kind. */
  damage(kind: string, json: string): void {
    for (const [id, [of, key]] of this.#entries) if (of === kind) this.#entries.set(id, [of, key, json]);
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
