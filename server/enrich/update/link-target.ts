import { readlink, realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** As many as Linux follows. */
const maxLinks = 40;

/** The file that a symbolic link leads to, also if there is no such file yet. @returns any other path unchanged */
export async function linkTarget(path: string): Promise<string> {
  let target = path;
  for (let links = 0; links <= maxLinks; links++) {
    const found = await realpath(target).catch(() => undefined);
    if (found !== undefined) return found;
    const next = await readlink(target).catch(() => undefined);
    if (next === undefined) return target;
    target = resolve(dirname(target), next);
  }
  // The links lead to each other.
  return path;
}
