import { posix } from "node:path";
import { readSource } from "./source-files.ts";

export interface Import {
  /** The file that imports, from the root of the repository. */
  readonly from: string;
  /** The file that is imported, from the root. Packages are left out. */
  readonly to: string;
  /** True for `import type` and `export type`: nothing of it is left at run time. */
  readonly isTypeOnly: boolean;
}

/**
 * Matches a whole `import … from "./x"`, `export … from "./x"` or `import "./x"` at the beginning of a line, and a
 * dynamic `import("./x")` anywhere. Bun's own `scanImports` leaves out imports of types, which matter for the order of rooms.
 */
const importPattern =
  /^(?:import|export)(?<type> type)?(?:\s+[\w*{][^;"'()]*?from)?\s+"(?<static>\.[^"]*)"|import\("(?<dynamic>\.[^"]*)"\)/gm;

/** @returns what the file imports from other files of this repository */
export function importsOf(from: string): Import[] {
  return [...readSource(from).matchAll(importPattern)].map(({ groups = {} }) => ({
    from,
    to: posix.join(posix.dirname(from), groups.static ?? groups.dynamic ?? ""),
    isTypeOnly: groups.type !== undefined,
  }));
}
