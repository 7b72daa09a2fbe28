import { expect, test } from "bun:test";
import { nextPage } from "../../../ui/models/next-page.ts";

const origin = "http://127.0.0.1:9080";

test("signing in leads back to the page that was requested", () => {
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
  test(`${JSON.stringify(next)} leads to the overview`, () => {
    expect(nextPage(`?next=${encodeURIComponent(next)}`, origin)).toBe("/");
  });

test("without an address, signing in leads to the overview", () => {
  expect(nextPage("", origin)).toBe("/");
});
