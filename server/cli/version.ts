import { version as loomVersion } from "../version.ts";
import { parseArguments } from "./arguments.ts";
import type { Command } from "./command.ts";

/** `loom version` prints `loom <version> (Bun <version>, linux x64)`. */
export const version: Command = {
  name: "version",
  aliases: ["-version", "--version"],
  usage: [{ synopsis: "loom version", summary: "print the version" }],
  run(args) {
    parseArguments(args, {});
    process.stdout.write(`loom ${loomVersion} (Bun ${Bun.version}, ${process.platform} ${process.arch})\n`);
  },
};
