import { type FileHandle, open, readdir } from "node:fs/promises";
import { deadLettersPath } from "./dead-letters.ts";
import { readRecord } from "./file.ts";
import { readPendingRequests } from "./pending-requests.ts";
import type { DeadLetter } from "./record.ts";
import { RecordIndex } from "./record-index.ts";
import { listRequests } from "./requests.ts";

/** One output's dead letters at one moment, read without any effect on a running Loom. */
export interface DeadLetterSnapshot {
  readonly output: string;
  readonly path: string;
  /** Of the records, the oldest first, without those that an operator requested to drop. */
  readonly sequences: readonly number[];
  readonly damagedLines: number;
  has(sequence: number): boolean;
  isRetryPending(sequence: number): boolean;
  read(sequence: number): Promise<DeadLetter>;
  close(): Promise<void>;
}

/** The dead letters of every output that has a file, or of one output. @throws Error when a file cannot be read */
export async function readSnapshots(dir: string, output: string | undefined): Promise<DeadLetterSnapshot[]> {
  const outputs = (await namesIn(dir))
    .map((name) => /^dead-letters-([a-z0-9-]+)\.ndjson$/.exec(name)?.[1])
    .filter((found) => found !== undefined)
    .filter((found) => output === undefined || found === output)
    .sort();
  const snapshots: DeadLetterSnapshot[] = [];
  try {
    for (const found of outputs) snapshots.push(await readSnapshot(dir, found));
  } catch (error) {
    for (const snapshot of snapshots) await snapshot.close();
    throw error;
  }
  return snapshots;
}

async function readSnapshot(dir: string, output: string): Promise<DeadLetterSnapshot> {
  // Requests are read before records: if one is served in between, its records are shown as pending, not as untouched.
  const pending = await readPendingRequests(await listRequests(dir, output), () => true);
  const path = deadLettersPath(dir, output);
  const file = await open(path, "r");
  const index = await indexOf(file);
  for (const sequence of pending.drop) index.remove(sequence);
  return {
    output,
    path,
    sequences: [...index.sequences()],
    damagedLines: index.damagedCount,
    has: (sequence) => index.has(sequence),
    isRetryPending: (sequence) => pending.retry.has(sequence),
    async read(sequence) {
      const span = index.spanOf(sequence);
      if (!span) throw new Error(`${path} has no record with the sequence number ${sequence}`);
      return readRecord(file, span);
    },
    close: () => file.close(),
  };
}

async function indexOf(file: FileHandle): Promise<RecordIndex> {
  try {
    return await RecordIndex.read(file);
  } catch (error) {
    await file.close();
    throw error;
  }
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
