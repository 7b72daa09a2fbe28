import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const fileName = "size-limit";
const maxDefaultBytes = 10 * 1024 ** 3;
/** The least that `store_max_bytes` may be. */
const minBytes = 64 * 1024 ** 2;

/**
 * The largest size of a store for which the configuration does not set one: 10 GiB, or half of what is free. It is decided
 * once and written into the directory, because the store itself uses what is free then.
 * @param freeBytes now; Infinity: not known
 */
export async function defaultSizeLimit(dir: string, freeBytes: number): Promise<number> {
  const stored = await storedSizeLimit(dir);
  if (stored !== undefined) return stored;
  const limit = Math.max(minBytes, Math.min(maxDefaultBytes, Math.floor(freeBytes / 2)));
  // On a full disk it is decided again at the next start.
  await writeFile(join(dir, fileName), `${limit}\n`, { mode: 0o600 }).catch(() => {});
  return limit;
}

/** The size that was decided; undefined: none was. */
export async function storedSizeLimit(dir: string): Promise<number | undefined> {
  const text = await readFile(join(dir, fileName), "latin1").catch(() => "");
  const stored = Number(/^(\d{1,14})\n$/.exec(text)?.[1]);
  return stored >= minBytes ? stored : undefined;
}
