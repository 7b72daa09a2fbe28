import { builtinSources } from "../enrich/builtin/sources.ts";
import { version as loomVersion } from "../version.ts";
import { parseArguments } from "./arguments.ts";
import type { Command } from "./command.ts";

/** `loom version` prints `loom <version> (Bun <version>, linux x64)`, and where the built-in databases are from. */
export const version: Command = {
  name: "version",
  aliases: ["-version", "--version"],
  usage: [
    { synopsis: "loom version", summary: "print the version, and the sources of the built-in databases" },
  ],
  run(args) {
    parseArguments(args, {});
    const lines = [
      `loom ${loomVersion} (Bun ${Bun.version}, ${process.platform} ${process.arch})`,
      "built-in databases:",
      ...Object.values(builtinSources).map(
        ({ content, builtAt, description }) =>
          `  ${content}, ${builtAt.toISOString().slice(0, 10)}: ${description}`,
      ),
    ];
    process.stdout.write(`${lines.join("\n")}\n`);
  },
};
