import { schemaText } from "../outputs/clickhouse/schema.ts";
import { indexTemplate } from "../outputs/elasticsearch/schema.ts";
import { exitWith } from "./exit.ts";

/** `loom schema clickhouse` and `loom schema elasticsearch`: prints what Loom expects there, under its default names. */
export function runSchema(args: readonly string[]): void {
  process.stdout.write(schemaOf(args));
}

function schemaOf(args: readonly string[]): string {
  const [output, ...rest] = args;
  if (rest.length === 0 && output === "clickhouse")
    return schemaText({ database: "default", table: "loom_events" });
  if (rest.length === 0 && output === "elasticsearch")
    return `${JSON.stringify(indexTemplate("loom-events"), null, 2)}\n`;
  exitWith(
    `loom schema: cannot understand "${args.join(" ")}"; it takes clickhouse or elasticsearch, see "loom help"`,
    2,
  );
}
