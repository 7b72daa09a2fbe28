import { expect, test } from "bun:test";
import { foldCase, searchTextOf } from "../../server/event/search-text.ts";

test("the text has strings of every depth, folded, and no keys", () => {
  const text = searchTextOf({
    Key: "Value",
    list: ["A", { inner: "ΣΊΣΥΦΟΣ" }],
    n: 7,
    "": { event: { id: "kept" } },
  });
  expect(text.split("\0")).toEqual(["value", "a", foldCase("ΣΊΣΥΦΟΣ"), "kept"]);
  expect(foldCase("ΣΊΣΥΦΟΣ")).toBe(foldCase("σίσυφος"));
});

test("the payload is text, and its hexadecimal form is not", () => {
  const event = { id: "ID", original_payload_hex: Buffer.from("WGET \u00e9").toString("hex"), summary: "s" };
  expect(searchTextOf({ event, network: { community_id: "1:x", transport: "tcp" } }).split("\0")).toEqual([
    "s",
    "tcp",
    "wget \u00e9",
  ]);
});

test("what is not an object or has other types is text too", () => {
  expect(searchTextOf({ event: "e", network: ["n"] })).toBe("e\0n");
  expect(searchTextOf({ event: { id: ["x"], original_payload_hex: 7 } })).toBe("x");
  expect(searchTextOf("Text")).toBe("text");
  expect(searchTextOf(null)).toBe("");
});

test("special names such as __proto__ are ordinary keys", () => {
  const hostile = JSON.parse('{"__proto__":{"x":"Deep"},"constructor":"Ctor","toString":["S"]}');
  expect(searchTextOf(hostile).split("\0")).toEqual(["deep", "ctor", "s"]);
});

test("text is found regardless of JSON escapes", () => {
  expect(searchTextOf(JSON.parse('{"a":"\\u0026psd\\u003dAdmin\\ud83d\\ude00"}'))).toBe("&psd=admin😀");
});
