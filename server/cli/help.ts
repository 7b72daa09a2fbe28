import { parseArguments } from "./arguments.ts";
import type { Command, Usage } from "./command.ts";

/** `loom help`. */
export function help(commands: () => readonly Command[]): Command {
  return {
    name: "help",
    aliases: ["-h", "-help", "--help"],
    usage: [{ synopsis: "loom help", summary: "print this text" }],
    run(args) {
      parseArguments(args, {});
      process.stdout.write(helpText(commands()));
    },
  };
}

const summaryColumn = 29;

function helpText(commands: readonly Command[]): string {
  const usages = commands.flatMap(({ usage }) => usage.flatMap(linesOf));
  return `Loom receives events from honeypot sensors, enriches them, and delivers them.

Usage:
${usages.join("\n")}

Sensor tokens are read from auth.token_file and LOOM_SENSOR_<id>, never from the command line.
LOOM_ADMIN_TOKEN signs in to the dashboard. If it is not set, the log has a sign-in link.
SIGTERM and SIGINT stop Loom after it has answered the requests in flight.
SIGHUP reloads tokens, certificate, [[ignore]] rules and databases.
Events go to stdout if that is an output; everything else goes to stderr.
The exit status is 0 after a stop, 1 after an error, and 2 for wrong arguments.
`;
}

function linesOf({ synopsis, summary, flags = [] }: Usage): string[] {
  return [
    columns(`  ${synopsis}`, summary),
    ...flags.map((flag) => columns(`      ${flag.synopsis}`, flag.summary)),
  ];
}

/** Two columns; the second one begins in the next line if the first one is too wide. */
function columns(left: string, right: string): string {
  const isWide = left.length > summaryColumn - 2;
  return isWide ? `${left}\n${" ".repeat(summaryColumn)}${right}` : left.padEnd(summaryColumn) + right;
}
