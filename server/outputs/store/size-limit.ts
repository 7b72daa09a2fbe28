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
  const path = join(dir, fileName);
  const stored = Number(/^(\d{1,14})\n$/.exec(await readFile(path, "latin1").catch(() => ""))?.[1]);
  if (stored >= minBytes) return stored;
  const limit = Math.max(minBytes, Math.min(maxDefaultBytes, Math.floor(freeBytes / 2)));
  // On a full disk it is decided again at the next start.
  await writeFile(path, `${limit}\n`, { mode: 0o600 }).catch(() => {});
  return limit;
}
