import { type CsvColumnName, csvColumnNames, isCsvColumnName } from "../history/export-formats.ts";
import { parseQuery } from "../query/parse-query.ts";
import type { Query } from "../query/query.ts";
import { queryErrorText } from "../query/query-error.ts";
import { UsageError } from "./arguments.ts";

/** @throws UsageError */
export function queryOf(words: readonly string[]): Query {
  const query = parseQuery(words.join(" "), { now: Date.now() });
  if (query.kind === "refused") throw new UsageError(queryErrorText(query.refusal));
  return query.value;
}

/** Separates flags and their values from the query, which may begin with a minus sign: `-port:22`. */
export function splitArguments(args: readonly string[], names: readonly string[]) {
  const flags: string[] = [];
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    const [, name, value] = /^--?([a-z]+)(=.*)?$/s.exec(arg) ?? [];
    if (name === undefined || !names.includes(name)) words.push(arg);
    else if (value !== undefined || i + 1 === args.length) flags.push(arg);
    else flags.push(`${arg}=${args[++i]}`);
  }
  return { flags, words };
}

/** @param list names separated by commas @throws UsageError */
export function columnsOf(list: string): CsvColumnName[] {
  return list.split(",").map((name) => {
    if (!isCsvColumnName(name))
      throw new UsageError(`there is no column "${name}", only ${csvColumnNames.join(", ")}`);
    return name;
  });
}
