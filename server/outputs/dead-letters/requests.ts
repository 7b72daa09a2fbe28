import { randomBytes } from "node:crypto";
import { chown, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory } from "../../sync-directory.ts";
import type { Log } from "../../telemetry/log.ts";
import { isSequenceList } from "./record.ts";

/*
 * Requests of operators to the process that delivers, which alone changes dead-letter files. A request is a small file in
 * the same directory: {"action":"retry","sequences":[12,13]}. It is written under another name, synced and renamed, so that
 * a reader never finds a part of it. Its name begins with the time, so that requests are served in order. The delivering
 * process removes the file when it has served the request.
 */

export interface DeadLetterRequest {
  readonly path: string;
  readonly action: "retry" | "drop";
  readonly sequences: readonly number[];
}

/** More than a request for every record of a full dead-letter file needs. */
const maxRequestBytes = 32 * 1024 * 1024;

/** Writes a request, which the delivering process serves within seconds or at its next start. @throws Error when the disk fails */
export async function writeRequest(
  dir: string,
  output: string,
  action: DeadLetterRequest["action"],
  sequences: readonly number[],
): Promise<void> {
  const time = String(Date.now()).padStart(15, "0");
  const path = join(dir, `${prefixOf(output)}${time}-${randomBytes(6).toString("hex")}.json`);
  const temporary = `${path}.tmp`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(JSON.stringify({ action, sequences }));
    await file.sync();
  } finally {
    await file.close();
  }
  // Operators are often root, the service usually is not, and the service must be able to read the request.
  const owner = await stat(dir);
  if (process.getuid?.() === 0) await chown(temporary, owner.uid, owner.gid);
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** The paths of the pending requests, the oldest first. */
export async function listRequests(dir: string, output: string): Promise<string[]> {
  const prefix = prefixOf(output);
  const names = await readdir(dir);
  return names
    .filter((name) => name.startsWith(prefix) && name.endsWith(".json"))
    .sort()
    .map((name) => join(dir, name));
}

/** @throws Error when there is no such file, or its content is not a request */
export async function readRequest(path: string): Promise<DeadLetterRequest> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size > maxRequestBytes) throw new Error(`${size} bytes, at most ${maxRequestBytes} are allowed`);
    const fields = JSON.parse(await file.readFile("utf8")) as Record<string, unknown> | null;
    const { action, sequences } = fields ?? {};
    if ((action !== "retry" && action !== "drop") || !isSequenceList(sequences))
      throw new Error('not {"action":"retry" or "drop","sequences":[…]}');
    return { path, action, sequences };
  } finally {
    await file.close();
  }
}

/** The pending requests of one output. A file that is not a request is logged once and skipped. */
export class RequestQueue {
  readonly #dir: string;
  readonly #output: string;
  readonly #log: Log;
  readonly #unreadable = new Set<string>();

  constructor(dir: string, output: string, log: Log) {
    this.#dir = dir;
    this.#output = output;
    this.#log = log;
  }

  /** @returns the oldest request; it stays the oldest until `removeRequest`. @throws Error when the directory cannot be read */
  async next(): Promise<DeadLetterRequest | undefined> {
    for (const path of await listRequests(this.#dir, this.#output)) {
      if (this.#unreadable.has(path)) continue;
      try {
        return await readRequest(path);
      } catch (error) {
        this.#unreadable.add(path);
        const reason = (error as Error).message;
        this.#log.error("cannot read a request about dead letters; the file is skipped", {
          path,
          error: reason,
        });
      }
    }
    return undefined;
  }
}

/** Removes a request that was served. @throws Error when the disk fails */
export async function removeRequest({ path }: DeadLetterRequest): Promise<void> {
  await unlink(path);
  await syncDirectory(dirname(path));
}

function prefixOf(output: string): string {
  return `dead-letters-${output}.request-`;
}
