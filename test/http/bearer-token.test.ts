import { expect, test } from "bun:test";
import { bearerToken } from "../../server/http/bearer-token.ts";

for (const [authorization, token] of [
  ["Bearer abc", "abc"],
  ["bEARER   abc  ", "abc"],
  ["Bearer a=b/c+d", "a=b/c+d"],
  [null, undefined],
  ["", undefined],
  ["Bearer", undefined],
  ["Bearer ", undefined],
  ["Bearer a b", undefined],
  ["Bearerabc", undefined],
  ["x Bearer abc", undefined],
  ["Basic abc", undefined],
] as const)
  test(`${JSON.stringify(authorization)} has ${token === undefined ? "no token" : `the token ${token}`}`, () => {
    expect(bearerToken(authorization)).toBe(token);
  });
