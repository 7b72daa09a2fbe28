import { readSource } from "./source-files.ts";

export interface FunctionInSource {
  readonly path: string;
  readonly name: string;
  /** From the line of its name to the line of its closing bracket, both included. */
  readonly lineCount: number;
  /** How many `let` it declares at its own level, inner blocks and inner functions left out. */
  readonly letCount: number;
}

const keywords = "if|for|while|switch|catch|return|super|await|function|import|throw|typeof|new";
/** `function name`, `name(…` as a method is written, or a line with `=>`. */
const headPattern = new RegExp(
  `^(?<indent> *)(?=.*[({]$)(?:.*\\bfunction\\b\\*? ?(?<named>\\w*)|(?:(?:static|override|async|get|set|private|protected|public) )*` +
    `(?!(?:${keywords})\\b)\\*?(?<method>#?\\w+|\\[[\\w.]+\\])(?:<.*>)?\\(|(?:.*?\\b(?<assigned>\\w+)(?::.*?)? [=:] )?.*=> [({]$|.*\\($)`,
);

/** The functions of a file that have more than one line. */
export function functionsOf(path: string): FunctionInSource[] {
  return functionsIn(readSource(path)).map((found) => ({ path, ...found }));
}

/**
 * Finds functions with more than one line by their indentation: the formatter, which the lint step enforces,
 * puts the bracket that closes a function into the column in which the line of its name begins.
 */
export function functionsIn(source: string): Omit<FunctionInSource, "path">[] {
  const lines = source.split("\n");
  const found: Omit<FunctionInSource, "path">[] = [];
  for (const [start, line] of lines.entries()) {
    const head = headPattern.exec(line)?.groups;
    if (head === undefined) continue;
    const indent = head.indent ?? "";
    const end = endOf(lines, start, indent);
    if (end === undefined) continue;
    const body = lines.slice(start + 1, end);
    found.push({
      name: head.named || head.method || head.assigned || `(line ${start + 1})`,
      lineCount: end - start + 1,
      letCount: body.filter((inner) => inner.startsWith(`${indent}  let `)).length,
    });
  }
  return found;
}

/** @returns the index of the line that closes the function; undefined when the line does not begin a function */
function endOf(lines: readonly string[], start: number, indent: string): number | undefined {
  // A line that ends with a bracket of its parameters opens the body later: `}: Options): string {`.
  let isBodyOpen = /(?:=> \(|(?:\)|\): .*|=>) \{)$/.test(lines[start] ?? "");
  for (let index = start + 1; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (!line.startsWith(`${indent}}`) && !line.startsWith(`${indent})`)) continue;
    if (!/[{(]$/.test(line)) return isBodyOpen ? index : undefined;
    isBodyOpen = true;
  }
  return undefined;
}
