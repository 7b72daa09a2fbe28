import { writeSync } from "node:fs";
import { printable } from "../text/printable.ts";

/**
 * Ends the process with one line on stderr. Arguments and file names in the message may contain line breaks and escape
 * sequences, which are escaped.
 * @param status 1: an error; 2: the arguments are wrong
 */
export function exitWith(message: string, status: 1 | 2 = 1): never {
  writeSync(2, `${printable(message)}\n`);
  process.exit(status);
}
