import { describe, expect, test } from "bun:test";
import { suggestionsAt } from "../../../ui/models/query-completion.ts";

const options = {
  hasPast: true,
  valuesOf: (column: string) => (column === "password" ? ["123456", "12 3", "root"] : []),
};

function labels(text: string, cursor = text.length, more = {}): string[] {
  return suggestionsAt(text, cursor, { ...options, ...more }).map(({ label }) => label);
}

describe("suggestions", () => {
  test("are names that begin like what is typed, with their colon", () => {
    expect(labels("wget po")).toEqual(["port:"]);
    expect(suggestionsAt("wget -po", 8, options)).toEqual([
      { label: "port:", text: "wget -port:", cursor: 11 },
    ]);
  });

  test("replace the name before a colon that is there", () => {
    expect(suggestionsAt("po:22 wget", 2, options)).toEqual([
      { label: "port", text: "port:22 wget", cursor: 4 },
    ]);
  });

  test("are values that occur, in quotes where they need them", () => {
    expect(labels("password:12")).toEqual(["123456", '"12 3"']);
    expect(labels("password:")).toEqual(["123456", '"12 3"', "root"]);
  });

  test("are periods after since", () => {
    expect(labels("since:1")).toEqual(["15m", "1h"]);
  });

  test("do not include times where only new events are searched", () => {
    expect(labels("sin")).toEqual(["since:"]);
    expect(labels("sin", 3, { hasPast: false })).toEqual([]);
  });

  test("do not include what is typed already", () => {
    expect(labels("password:root")).toEqual([]);
  });

  test("are not made in an empty query, in quotes, and for unknown fields", () => {
    for (const text of ["", "port:22 ", '"po', "nothing:1"])
      expect<unknown>([text, labels(text)]).toEqual([text, []]);
  });
});
