import { describe, expect, test } from "bun:test";
import { INVALID, skipString, wordsOf } from "../server/json-bytes.ts";

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
