import { describe, expect, test } from "bun:test";
import { outputDescriptors } from "../../server/outputs/registry.ts";
import { type Import, importsOf } from "./imports.ts";
import { readSource, sourceFiles } from "./source-files.ts";

/**
 * The rooms of `server/` from low to high. A file imports from its own room and from lower rooms. Rooms in one row do not
 * import from each other. Files and folders that are not listed are leaves, below all rooms.
 */
const rooms = [
  ["config"],
  ["telemetry"],
  ["pipeline.ts"],
  ["http"],
  ["ingest", "enrich", "outbox"],
  ["outputs"],
  ["monitoring"],
  ["management"],
  ["reload.ts"],
  ["main.ts"],
  ["cli"],
];

const imports = (["server", "ui", "scripts"] as const).flatMap(sourceFiles).flatMap(importsOf);

function isIn(folder: string, path: string): boolean {
  return path.startsWith(`${folder}/`);
}

/** The room of a file of `server/`; undefined for the leaves below all rooms, such as `server/text/`. */
function roomOf(path: string): string | undefined {
  const [, room = ""] = path.split("/");
  return rooms.flat().find((name) => name === room);
}

function heightOf(room: string | undefined): number {
  return rooms.findIndex((row) => row.some((name) => name === room));
}

function goesUp({ from, to }: Import): boolean {
  const [lower, higher] = [roomOf(from), roomOf(to)];
  return lower !== higher && higher !== undefined && heightOf(higher) >= heightOf(lower);
}

function linesOf(wrong: readonly Import[]): string[] {
  return wrong.map(({ from, to }) => `${from} -> ${to}`);
}

test("the imports of the project are found", () => {
  expect(imports.length).toBeGreaterThan(500);
  expect(
    imports.filter(({ from, to }) => from === "server/main.ts" && isIn("server/ingest", to)),
  ).not.toEqual([]);
});

describe("of the files outside test/", () => {
  test("none imports from test/", () => {
    expect(linesOf(imports.filter(({ to }) => isIn("test", to)))).toEqual([]);
  });

  test("none imports itself through others", () => {
    const importsByFile = Map.groupBy(imports, ({ from }) => from);
    const visited = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]) => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      if (visited.has(file)) return;
      visited.add(file);
      for (const { to } of importsByFile.get(file) ?? []) visit(to, [...path, file]);
    };
    for (const file of importsByFile.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });
});

describe("of the files in server/", () => {
  const ofServer = imports.filter(({ from }) => isIn("server", from));

  test("none imports from a higher room, or from another room of the same height", () => {
    expect(linesOf(ofServer.filter((one) => isIn("server", one.to) && goesUp(one)))).toEqual([]);
  });

  test("only the management port imports from ui/, and only the two pages and the page list", () => {
    const fromPage = ofServer.filter(({ to }) => isIn("ui", to));
    expect(linesOf(fromPage.filter(({ from }) => !isIn("server/management", from)))).toEqual([]);
    expect(new Set(fromPage.map(({ to }) => to))).toEqual(
      new Set(["ui/index.html", "ui/sign-in.html", "ui/page-list.ts"]),
    );
  });

  test("none outside outbox/ imports anything of the outbox but outbox.ts", () => {
    const intoOutbox = imports.filter(
      ({ from, to }) => isIn("server/outbox", to) && !isIn("server/outbox", from),
    );
    expect(linesOf(intoOutbox.filter(({ to }) => to !== "server/outbox/outbox.ts"))).toEqual([]);
  });

  test("no output imports from another output", () => {
    const outputs = outputDescriptors.map(({ name }) => `server/outputs/${name}`);
    const across = ofServer.filter(({ from, to }) =>
      outputs.some(
        (output) => isIn(output, from) && outputs.some((other) => other !== output && isIn(other, to)),
      ),
    );
    expect(linesOf(across)).toEqual([]);
  });
});

describe("what the page imports from server/", () => {
  const fromServer = imports.filter(({ from, to }) => isIn("ui", from) && isIn("server", to));

  test("are types, or files that run in a browser: they import nothing but files like themselves", () => {
    const loaded = new Set(fromServer.filter(({ isTypeOnly }) => !isTypeOnly).map(({ to }) => to));
    for (const file of loaded)
      for (const { to, isTypeOnly } of importsOf(file)) if (!isTypeOnly) loaded.add(to);
    expect(loaded.size).toBeGreaterThan(0);
    expect([...loaded].filter(isBoundToServer)).toEqual([]);
  });
});

/** True for a file that imports a package, a module of Node or Bun, or names one of their globals. */
function isBoundToServer(path: string): boolean {
  return /^import (?!type)[^;"]*"(?!\.)|\b(?:Bun|Buffer|process)\./m.test(readSource(path));
}
