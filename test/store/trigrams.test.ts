import { expect, test } from "bun:test";
import { addTrigrams, hasTrigrams, trigramBytes, trigramsOf } from "../../server/store/trigrams.ts";

test("every part of a text is found by its trigrams", () => {
  const text = "get /.env http/1.1\r\nuser-agent: zgrab\0\u00e9\u{1f41d}wget http://x/y;sh";
  const bits = new Uint8Array(trigramBytes);
  addTrigrams(bits, text);
  for (let start = 0; start < text.length; start++)
    for (let end = start; end <= text.length; end++)
      expect(hasTrigrams(bits, trigramsOf(text.slice(start, end)))).toBe(true);
});

test("a text with another trigram is not found", () => {
  const bits = new Uint8Array(trigramBytes);
  addTrigrams(bits, "wget http");
  expect(hasTrigrams(bits, trigramsOf("curl"))).toBe(false);
  expect(hasTrigrams(bits, trigramsOf("wgeth"))).toBe(false);
});

test("trigrams do not reach from one text into the next", () => {
  const bits = new Uint8Array(trigramBytes);
  addTrigrams(bits, "ab");
  addTrigrams(bits, "cd");
  expect(hasTrigrams(bits, trigramsOf("abc"))).toBe(false);
});
