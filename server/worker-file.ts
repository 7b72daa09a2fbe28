import { join } from "node:path";

/** Where a compiled executable has its files. */
const embeddedRoot = "/$bunfs/root";

/**
 * The file to start a worker with. It must also be an entry point of the executable (scripts/compile.ts).
 * @param path from the root of the repository: "server/store/writer-worker.ts"
 */
export function workerFile(path: string): string {
  const isCompiled = import.meta.dir.startsWith(embeddedRoot);
  return join(isCompiled ? embeddedRoot : join(import.meta.dir, ".."), path);
}
