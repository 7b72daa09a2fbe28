import { runDeadLetters } from "./dead-letters.ts";
import { runDemo } from "./demo/demo.ts";
import { exampleConfig } from "./example-config.ts";
import { exitMisunderstood } from "./exit.ts";
import { helpText } from "./help.ts";
import { runFromFile } from "./run.ts";
import { runSchema } from "./schema.ts";
import { versionText } from "./version.ts";

/** What the executable does with its arguments. Nothing secret is ever taken from them. */
async function main(args: readonly string[]): Promise<void> {
  const [first = "", ...rest] = args;
  if (first === "demo") return runDemo(rest);
  if (first === "schema") return runSchema(rest);
  if (first === "dead-letters") return runDeadLetters(rest);
  const text = textOf(first);
  if (text === undefined) return runFromFile(args);
  if (rest.length > 0) exitMisunderstood(args);
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** What a command that only prints does print. */
function textOf(command: string): string | undefined {
  switch (command) {
    case "help":
    case "-h":
    case "-help":
    case "--help":
      return helpText;
    case "version":
    case "-version":
    case "--version":
      return versionText();
    case "example-config":
      return exampleConfig();
  }
}

await main(process.argv.slice(2));
