import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The root of the repository, with a slash at its end. */
export const root = new URL("../..", import.meta.url).pathname;

/** Every TypeScript file of a folder as its path from the root: `server/ingest/refusal.ts`. */
export function sourceFiles(folder: "server" | "ui" | "scripts" | "test"): string[] {
  const found = new Bun.Glob("**/*.{ts,tsx}").scanSync({ cwd: join(root, folder) });
  return [...found].map((path) => `${folder}/${path}`).sort();
}

export function readSource(path: string): string {
  return readFileSync(join(root, path), "utf8");
}
