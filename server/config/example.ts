import type { Key, Keys } from "./key.ts";
import { outputTypeKey, sections, tableArrays } from "./keys.ts";
import type { OutputKind } from "./output-kind.ts";
import type { TableArray } from "./typed-values.ts";

const header = `# The configuration of Loom: every key, with its default. A "#" precedes a key that has no default.
# Tokens and passwords can be set in the environment instead, so that this file contains no secrets.`;

const maxLineLength = 110;

/** The annotated configuration file that `loom example-config` prints, in TOML. It follows from the tables of keys. */
export function exampleConfig(outputs: readonly OutputKind<unknown>[]): string {
  const parts = Object.entries<Keys>({ ...sections, output: { type: outputTypeKey(outputs) } }).map(
    ([section, keys]) => {
      const blocks = [`[${section}]\n${linesOf(keys)}`];
      if (section === "output") blocks.push(...outputs.flatMap(blockOf));
      return blocks.join("\n\n");
    },
  );
  const tables = Object.entries(tableArrays).map(tableOf);
  return `${[header, ...parts, ...tables].join("\n\n")}\n`;
}

/** One table of an array, all of it behind "#", because the file may have none. */
function tableOf([name, { description, keys }]: [string, TableArray]): string {
  const lines = linesOf(keys).replace(/^(?!#)/gm, "# ");
  return `${comment(description)}\n# [[${name}]]\n${lines}`;
}

/** The keys of one output below a comment on the output; nothing for an output without keys. */
function blockOf({ description, keys }: OutputKind<unknown>): string[] {
  return Object.keys(keys).length === 0 ? [] : [`${comment(description)}\n${linesOf(keys)}`];
}

function linesOf(keys: Keys): string {
  return Object.entries(keys)
    .flatMap(([name, key]) => [
      ...commentsOn(key),
      `${key.isSetInExample ? "" : "# "}${name} = ${key.example}`,
    ])
    .join("\n");
}

function commentsOn({ description, range, environment }: Key<unknown>): string[] {
  const comments = [comment(description)];
  if (range !== undefined) comments.push(comment(`Allowed: ${range}.`));
  if (environment !== undefined) comments.push(comment(`${environment} in the environment overrides it.`));
  return comments;
}

/** The text as comment lines of bounded length. */
function comment(text: string): string {
  const lines: string[] = [];
  let line = "#";
  for (const word of text.split(" ")) {
    if (line.length + word.length >= maxLineLength) {
      lines.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return [...lines, line].join("\n");
}
