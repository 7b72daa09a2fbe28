import { outputDescriptors } from "../outputs/registry.ts";
import { exitWith } from "./exit.ts";

/** `loom schema <output>`: prints the schema of an output for its default names. */
export function runSchema(args: readonly string[]): void {
  process.stdout.write(schemaOf(args));
}

function schemaOf(args: readonly string[]): string {
  const [name, ...rest] = args;
  const schema = outputDescriptors.find((output) => output.name === name)?.schema;
  if (schema !== undefined && rest.length === 0) return schema.text();
  const known = outputDescriptors
    .filter((output) => output.schema !== undefined)
    .map((output) => output.name);
  exitWith(
    `loom schema: cannot understand "${args.join(" ")}"; it takes ${known.join(" or ")}, see "loom help"`,
    2,
  );
}
