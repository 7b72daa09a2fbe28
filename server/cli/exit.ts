import { writeSync } from "node:fs";

/** Ends the program with one line on stderr. Status 1: it can't work so; 2: it was called wrongly. */
export function exitWith(message: string, status: 1 | 2 = 1): never {
  writeSync(2, `${onOneLine(message)}\n`);
  process.exit(status);
}

/** Ends the program because of arguments that no command takes. */
export function exitMisunderstood(args: readonly string[]): never {
  exitWith(`loom: cannot understand "${args.join(" ")}"; see "loom help"`, 2);
}

/** Arguments and file names may hold line breaks and escape sequences. */
function onOneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
