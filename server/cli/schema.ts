import { outputDescriptors } from "../outputs/registry.ts";
import { parseArguments, UsageError } from "./arguments.ts";
import type { Command } from "./command.ts";

const schemas = outputDescriptors.flatMap(({ name, schema }) => (schema ? [{ name, ...schema }] : []));

/** `loom schema <output>` prints the schema of an output for its default names. */
export const schema: Command = {
  name: "schema",
  usage: schemas.map(({ name, title }) => ({ synopsis: `loom schema ${name}`, summary: `print ${title}` })),
  run(args) {
    const { positionals } = parseArguments(args, {}, 1);
    const [output] = positionals;
    const found = schemas.find(({ name }) => name === output);
    const known = schemas.map(({ name }) => name).join(" or ");
    if (output === undefined) throw new UsageError(`the name of an output is missing: ${known}`);
    if (found === undefined) throw new UsageError(`there is no schema for "${output}", only for ${known}`);
    process.stdout.write(found.text());
  },
};
