import { type DirectoryLock, lockDirectory } from "../directory-lock.ts";
import { defaultSizeLimit } from "./size-limit.ts";
import { diskSpace } from "./store-errors.ts";
import type { StoreLocation } from "./store-location.ts";

/** A store that no other process writes. */
export interface LockedStore {
  readonly dir: string;
  readonly maxBytes: number;
  readonly maxDays: number;
  readonly lock: DirectoryLock;
}

/** @throws DirectoryInUse; Error if the directory cannot be written; the message says what to do */
export async function lockStore({ dir, maxBytes, maxDays }: StoreLocation): Promise<LockedStore> {
  const lock = await lockDirectory(dir, { name: "store", key: "output.store_dir" });
  return { dir, maxBytes: maxBytes ?? (await defaultSizeLimit(dir, diskSpace(dir).free)), maxDays, lock };
}
