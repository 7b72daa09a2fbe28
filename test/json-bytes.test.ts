import { describe, expect, spyOn, test } from "bun:test";
import { INVALID, isKey, skipString, wordsOf } from "../server/json-bytes.ts";

/** A text at an address divisible by 4, or one byte after such an address. */
function bytesAt(offset: 0 | 1, text: string): Buffer {
  const memory = Buffer.allocUnsafeSlow(text.length + offset);
  memory.write(text, offset, "latin1");
  return memory.subarray(offset);
}

describe.each([
  ["four bytes at a time", 0],
  ["byte by byte", 1],
] as const)("a string read %s", (_, offset) => {
  const cases = [0, 1, 2, 3].flatMap((start) =>
    Array.from({ length: 12 }, (_, length) => ({ start, length })),
  );

  test("ends after its quote, for any start and length", () => {
    for (const { start, length } of cases) {
      const bytes = bytesAt(offset, `${" ".repeat(start)}${"a".repeat(length)}"]}`);
      expect(skipString(bytes, start, wordsOf(bytes))).toBe(start + length + 1);
    }
  });

  test("does not end at an escaped quote, even in the last bytes", () => {
    for (const { start, length } of cases) {
      const bytes = bytesAt(offset, `${" ".repeat(start)}${"a".repeat(length)}\\"#\\\\]"`);
      expect(skipString(bytes, start, wordsOf(bytes))).toBe(bytes.length);
    }
  });

  test("is invalid with a control character or without an end, at any position", () => {
    for (const { start, length } of cases) {
      const text = `${" ".repeat(start)}${"a".repeat(length)}`;
      for (const broken of [`${text}\u001f"`, `${text}\n"   `, text, `${text}\\`, `${text}\\u00e`]) {
        const bytes = bytesAt(offset, broken);
        expect(skipString(bytes, start, wordsOf(bytes))).toBe(INVALID);
      }
    }
  });
});

describe("a key", () => {
  const isIp = (key: string) => isKey(Buffer.from(`"${key}"`), 1, Buffer.byteLength(key) + 1, "ip");
  const spellings = ["ip", "\\u0069p", "i\\u0070", "\\u0069\\u0070", "ı\\u0070", "i\\u0070 "];
  spellings.push(
    "\\u0069",
    "\\u0069P",
    "\\u0169p",
    "\\u0069\\u0070\\u0070",
    "i\\n",
    "\\/p",
    "\\\\u0069p",
    "",
    "i",
  );

  test.each(spellings)("is a name exactly if JSON.parse says so: %s", (key) => {
    expect(isIp(key)).toBe(JSON.parse(`"${key}"`) === "ip");
  });

  test("is a name with digits of both cases in its escapes", () => {
    for (const key of ["\\u006A", "\\u006a"])
      expect(isKey(Buffer.from(`"${key}"`), 1, key.length + 1, "j")).toBe(true);
  });

  test("full of escapes is not decoded, because thousands of them would block other requests", () => {
    using parse = spyOn(JSON, "parse");
    isIp("\\u0069\\n");
    expect(parse).not.toHaveBeenCalled();
  });
});
