import { readSource } from "../structure/source-files.ts";

/** The first code block of a language below a heading of a page, such as "### Go" of "docs/shippers.md". */
export function documentedCode(page: string, heading: string, language: string): string {
  const [, below = ""] = readSource(page).split(`\n${heading}\n`);
  const code = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "ms").exec(below)?.[1];
  if (code === undefined) throw new Error(`${page} has no code in "${language}" below "${heading}"`);
  return code;
}

/** Replaces what readers have to replace. @throws Error if one of the texts is not there */
export function withReplaced(text: string, replacements: Readonly<Record<string, string>>): string {
  let replaced = text;
  for (const [from, to] of Object.entries(replacements)) {
    if (!replaced.includes(from)) throw new Error(`the documentation does not have "${from}"`);
    replaced = replaced.replaceAll(from, to);
  }
  return replaced;
}
