import { open } from "node:fs/promises";

/** Syncs a directory: its created, renamed and removed entries survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
