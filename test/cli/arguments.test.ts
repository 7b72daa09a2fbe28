import { describe, expect, test } from "bun:test";
import { parseArguments, UsageError } from "../../server/cli/arguments.ts";

const options = {
  config: { type: "string", default: "loom.toml" },
  "listen-address": { type: "string" },
  all: { type: "boolean", default: false },
} as const;

const parse = (...args: readonly string[]) => parseArguments(args, options, 2);

function messageOf(...args: readonly string[]): string {
  try {
    parse(...args);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error("the arguments were accepted");
}

describe("a flag", () => {
  for (const args of [["-config", "a.toml"], ["--config", "a.toml"], ["-config=a.toml"], ["--config=a.toml"]])
    test(`${args.join(" ")} has the value a.toml`, () => {
      expect(parse(...args).values.config).toBe("a.toml");
    });

  test("has its default if it is not given", () => {
    expect(parse().values).toMatchObject({ config: "loom.toml", all: false });
    expect(parse().values["listen-address"]).toBeUndefined();
  });

  test("without a value is true if it is given, with one dash or two", () => {
    expect([parse("-all").values.all, parse("--all").values.all]).toEqual([true, true]);
  });

  test("may have a value that begins with a dash, or contains =", () => {
    expect(parse("-config", "-x=y").values.config).toBe("-x=y");
    expect(parse("-config", "-all").values).toMatchObject({ config: "-all", all: false });
  });

  test("counts the last time it is given", () => {
    expect(parse("-config", "a", "-config", "b").values.config).toBe("b");
  });

  test("may follow arguments that are not flags", () => {
    expect(parse("1", "-all", "2")).toMatchObject({ values: { all: true }, positionals: ["1", "2"] });
  });
});

test("what follows -- is not a flag", () => {
  expect(parse("--", "-all").positionals).toEqual(["-all"]);
});

test.each([
  [["-c"], 'unknown flag "-c"'],
  [["--token=abc"], 'unknown flag "--token"'],
  [["-__proto__"], 'unknown flag "-__proto__"'],
  [["-config"], "-config needs a value"],
  [["--config="], "--config needs a value"],
  [["-config", ""], "-config needs a value"],
  [["-all=1"], "-all does not take a value"],
  [["1", "2", "3"], 'unexpected argument "3"'],
])("%p is wrong", (args, message) => {
  expect(messageOf(...args)).toBe(message);
});

test("an error does not contain the value of a flag", () => {
  expect(messageOf("--token=hunter2")).not.toContain("hunter2");
});
