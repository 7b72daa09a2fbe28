import { expect, test } from "bun:test";
import { type FunctionInSource, functionsIn, functionsOf } from "./functions.ts";
import { sourceFiles } from "./source-files.ts";

const maxLines = 80;
/** A closure over more variables than this is a class whose fields have no names outside it. */
const maxLets = 5;

const functions = (["server", "ui", "scripts"] as const).flatMap(sourceFiles).flatMap(functionsOf);

function namesOf(found: readonly FunctionInSource[]): string[] {
  return found.map(({ path, name, lineCount }) => `${path} ${name}, ${lineCount} lines`);
}

test("functions, methods and arrow functions are found in all their forms, with their lengths", () => {
  const source = `
export async function plain(a: number): Promise<void> {
  let inner = a;
  if (inner > 0) {
    let deeper = inner;
  }
}
function manyParameters(
  { a, b }: Options,
  c: string,
): string {
  return c;
}
function destructured({
  a,
  b,
}: Options): string {
  return a;
}
class Queue<Item> {
  async *#drain<Kind extends string>(kind: Kind): AsyncGenerator<Item> {
    yield* this.items;
  }
  get size(): number {
    return 1;
  }
  async [Symbol.asyncDispose]() {
    await this.close();
  }
}
const arrow = async (a: number): Promise<number> => {
  return a;
};
const Component = () => (
  <p>
    {text}
  </p>
);
call(
  argument,
);
interface Signatures {
  method(
    a: number,
  ): void;
}
server.on("data", (chunk) => {
  take(chunk);
});
`;
  expect(functionsIn(source).map(({ name, lineCount, letCount }) => [name, lineCount, letCount])).toEqual([
    ["plain", 6, 1],
    ["manyParameters", 6, 0],
    ["destructured", 6, 0],
    ["#drain", 3, 0],
    ["size", 3, 0],
    ["[Symbol.asyncDispose]", 3, 0],
    ["arrow", 3, 0],
    ["Component", 5, 0],
    ["(line 47)", 3, 0],
  ]);
  expect(functions.length).toBeGreaterThan(1000);
});

test(`no function outside test/ is longer than ${maxLines} lines`, () => {
  const long = functions.filter(({ lineCount }) => lineCount > maxLines);
  expect(namesOf(long)).toEqual([]);
});

test(`no function outside test/ declares more than ${maxLets} variables that change`, () => {
  const mutable = functions.filter(({ letCount }) => letCount > maxLets);
  expect(namesOf(mutable)).toEqual([]);
});
