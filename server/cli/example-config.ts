import * as config from "../config/example.ts";
import { outputDescriptors } from "../outputs/registry.ts";
import { parseArguments } from "./arguments.ts";
import type { Command } from "./command.ts";

/** `loom example-config`. */
export const exampleConfig: Command = {
  name: "example-config",
  usage: [
    {
      synopsis: "loom example-config",
      summary: "print a configuration file with every key and its explanation",
    },
  ],
  run(args) {
    parseArguments(args, {});
    process.stdout.write(config.exampleConfig(outputDescriptors));
  },
};
