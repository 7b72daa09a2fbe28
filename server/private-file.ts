import { closeSync, openSync } from "node:fs";

/**
 * Creates a file that only its owner can read, unless it exists. SQLite would create it with the mode of the umask; it gives
 * the log beside a database the mode of the database.
 */
export function createPrivateFile(path: string): void {
  closeSync(openSync(path, "a", 0o600));
}
