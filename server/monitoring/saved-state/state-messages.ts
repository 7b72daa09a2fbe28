import type { SavedEntry } from "./saved-entries.ts";
import type { Removal, RenamedFile, Write } from "./state-database.ts";

/** What the thread of the file is asked. It answers each request with one answer, in order. */
export type StateRequest =
  | { readonly do: "open"; readonly path: string; readonly isDirectoryCreated: boolean }
  | { readonly do: "write"; readonly writes: readonly Write[]; readonly removals: readonly Removal[] }
  | { readonly do: "close" };

export type StateAnswer =
  | {
      readonly did: "open";
      readonly entries: readonly SavedEntry[];
      readonly damagedEntries: number;
      readonly renamed: RenamedFile | undefined;
    }
  | { readonly did: "write" | "close" }
  | { readonly did: "fail"; readonly reason: string };
