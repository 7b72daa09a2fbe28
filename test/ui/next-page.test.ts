import { expect, test } from "bun:test";
import { nextPage } from "../../ui/models/next-page.ts";

const origin = "http://127.0.0.1:9080";

test("signing in leads back to where one was", () => {
  expect(nextPage("?next=%2Ftail%3Fport%3D23", origin)).toBe("/tail?port=23");
});

for (const next of [
  "//evil.example",
  "/\\evil.example",
  "https://evil.example/",
  "javascript:alert(1)",
  "\\\\evil",
  "/sign-in",
  "http:evil",
  "\t//evil.example",
])
  test(`${JSON.stringify(next)} leads to the first page`, () => {
    expect(nextPage(`?next=${encodeURIComponent(next)}`, origin)).toBe("/");
  });

test("no address leads to the first page", () => {
  expect(nextPage("", origin)).toBe("/");
});
