import { open, readdir } from "node:fs/promises";
import { deadLettersPath } from "./dead-letters.ts";
import { readIndex, readLetter } from "./file.ts";
import { readPendingRequests } from "./pending-requests.ts";
import type { DeadLetter } from "./record.ts";
import { listRequests } from "./requests.ts";

/** One output's dead letters as they are now, for somebody who only looks: a running Loom is not disturbed. */
export interface DeadLetterSnapshot {
  readonly output: string;
  readonly path: string;
  /** Oldest first, without those that are asked to be dropped. */
  readonly sequences: readonly number[];
  readonly damagedLines: number;
  has(sequence: number): boolean;
  isRetryPending(sequence: number): boolean;
  read(sequence: number): Promise<DeadLetter>;
  close(): Promise<void>;
}

/** The dead letters of every output that has a file, or of one. @throws Error when there is a file that can't be read */
export async function readSnapshots(dir: string, output: string | undefined): Promise<DeadLetterSnapshot[]> {
  const outputs = (await namesIn(dir))
    .map((name) => /^dead-letters-([a-z0-9-]+)\.ndjson$/.exec(name)?.[1])
    .filter((found) => found !== undefined)
    .filter((found) => output === undefined || found === output)
    .sort();
  return Promise.all(outputs.map((found) => viewOutput(dir, found)));
}

async function viewOutput(dir: string, output: string): Promise<DeadLetterSnapshot> {
  // Before the letters: a request that is served meanwhile is seen as still waiting, never the other way round.
  const asked = await readPendingRequests(await listRequests(dir, output), () => true);
  const path = deadLettersPath(dir, output);
  const file = await open(path, "r");
  const { letters, damaged } = await readIndex(file);
  for (const sequence of asked.drop) letters.delete(sequence);
  return {
    output,
    path,
    sequences: [...letters.keys()],
    damagedLines: damaged.length,
    has: (sequence) => letters.has(sequence),
    isRetryPending: (sequence) => asked.retry.has(sequence),
    async read(sequence) {
      const span = letters.get(sequence);
      if (!span) throw new Error(`there is no dead letter ${sequence} in ${path}`);
      return readLetter(file, span);
    },
    close: () => file.close(),
  };
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new Error(`dead-letters: cannot read ${dir}: ${(error as NodeJS.ErrnoException).code}`, {
      cause: error,
    });
  }
}
