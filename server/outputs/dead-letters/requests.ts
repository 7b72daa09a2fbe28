import { randomBytes } from "node:crypto";
import { chown, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../../telemetry/log.ts";
import { syncDirectoryOf } from "./file.ts";
import { isSequenceList } from "./record.ts";

/*
 * What `loom dead-letters` asks of the process that delivers: one small file a request, beside the dead letters,
 * {"action":"retry","sequences":[12,13]}. It is written under another name, synced and renamed, so it is there whole or
 * not at all; its name begins with the time, so requests are served in order. Only the delivering process touches the
 * dead letters themselves; it removes a request once it is served.
 */

export interface DeadLetterRequest {
  readonly path: string;
  readonly action: "retry" | "drop";
  readonly sequences: readonly number[];
}

/** More than a full dead-letter file has letters. */
const maxRequestBytes = 32 * 1024 * 1024;

/** Puts a request where the delivering process finds it, now or at its next start. */
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
  // An operator is often root, and the service is not: it must be able to read what it is asked.
  const owner = await stat(dir);
  if (process.getuid?.() === 0) await chown(temporary, owner.uid, owner.gid);
  await rename(temporary, path);
  await syncDirectoryOf(path);
}

/** Paths of the requests that wait, the oldest first. */
export async function listRequests(dir: string, output: string): Promise<string[]> {
  const prefix = prefixOf(output);
  const names = await readdir(dir);
  return names
    .filter((name) => name.startsWith(prefix) && name.endsWith(".json"))
    .sort()
    .map((name) => join(dir, name));
}

/** @throws Error saying why where there is no request, or one that is not to be understood */
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

/** The requests of one output as its delivery takes them, one after another; what can't be read is logged once and left. */
export function createRequestQueue(dir: string, output: string, log: Log) {
  const unreadable = new Set<string>();
  return {
    async next(): Promise<DeadLetterRequest | undefined> {
      for (const path of await listRequests(dir, output)) {
        if (unreadable.has(path)) continue;
        try {
          return await readRequest(path);
        } catch (error) {
          unreadable.add(path);
          const reason = (error as Error).message;
          log.error("cannot read a request about dead letters; left there", { path, error: reason });
        }
      }
      return undefined;
    },
  };
}

export async function removeRequest({ path }: DeadLetterRequest): Promise<void> {
  await unlink(path);
  await syncDirectoryOf(path);
}

function prefixOf(output: string): string {
  return `dead-letters-${output}.request-`;
}
