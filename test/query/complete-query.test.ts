import { describe, expect, test } from "bun:test";
import { completionAt, namesLike } from "../../server/query/complete-query.ts";

/** @param marked a query with "|" where the cursor is @returns what is typed, and what a completion replaces */
function at(marked: string) {
  const cursor = marked.indexOf("|");
  const text = marked.replace("|", "");
  const completion = completionAt(text, cursor);
  if (!completion) return undefined;
  const { start, end, ...rest } = completion;
  return { ...rest, replaced: text.slice(start, end) };
}

describe("what is being typed is", () => {
  for (const [marked, expected] of [
    ["|", { kind: "name", typed: "", hasColon: false, replaced: "" }],
    ["port:22 |", { kind: "name", typed: "", hasColon: false, replaced: "" }],
    ["po|", { kind: "name", typed: "po", hasColon: false, replaced: "po" }],
    ["-po|rt", { kind: "name", typed: "po", hasColon: false, replaced: "port" }],
    ["po|rt:22", { kind: "name", typed: "po", hasColon: true, replaced: "port" }],
    ["port|:22", { kind: "name", typed: "port", hasColon: true, replaced: "port" }],
    ["source.ip:|", { kind: "value", column: "ip", typed: "", replaced: "" }],
    ["port:2|2 a", { kind: "value", column: "port", typed: "2", replaced: "22" }],
    ["port:22,|,80", { kind: "value", column: "port", typed: "", replaced: "" }],
    ["-tag:a,sh|", { kind: "value", column: "tags", typed: "sh", replaced: "sh" }],
    ['path:"/a b|c" x', { kind: "value", column: "path", typed: "/a b", replaced: '"/a bc"' }],
    ['path:"/a b|', { kind: "value", column: "path", typed: "/a b", replaced: '"/a b' }],
    ["since:24|", { kind: "time", name: "since", typed: "24", replaced: "24" }],
  ] as const)
    test(`at ${marked}`, () => {
      expect<unknown>(at(marked)).toEqual(expected);
    });

  for (const marked of ['"a |b"', "nothing:a|", "|-a"])
    test(`nothing that could be completed, at ${marked}`, () => {
      expect(at(marked)).toBeUndefined();
    });
});

test("the short names are offered before those of ECS", () => {
  expect(namesLike("p")).toEqual(["port", "path", "password", "payload"]);
  expect(namesLike("S")).toEqual(["sensor", "since"]);
  expect(namesLike("source.")).toEqual(["source.ip", "source.geo.country_iso_code", "source.as.number"]);
  expect(namesLike("nothing")).toEqual([]);
});
