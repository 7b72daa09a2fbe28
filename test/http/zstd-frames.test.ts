import { describe, expect, spyOn, test } from "bun:test";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { decompress } from "../../server/http/decompression.ts";
import { frameFault } from "../../server/http/zstd-frames.ts";

const mebibyte = 1024 * 1024;
const magic = [0x28, 0xb5, 0x2f, 0xfd];

/** One frame: the descriptor and the rest of its header, then blocks. */
function frame(header: readonly number[], ...blocks: readonly (readonly number[])[]): Buffer {
  return Buffer.from([...magic, ...header, ...blocks.flat()]);
}

/** Type 0: as they are, 1: one byte many times, 3: reserved. */
function block(type: 0 | 1 | 3, size: number, isLast: boolean, content: readonly number[]): number[] {
  const header = (size << 3) | (type << 1) | (isLast ? 1 : 0);
  return [header & 0xff, (header >> 8) & 0xff, (header >> 16) & 0xff, ...content];
}

const skippable = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const ab = block(0, 2, true, [0x61, 0x62]);
/** A window of 8 MiB, whose size the header gives as 2 to the power of 10 + 13. */
const window8 = 13 << 3;

describe("zstd data is whole", () => {
  for (const [what, bytes, content] of [
    ["a frame with a window", frame([0, window8], ab), "ab"],
    ["a frame of a single segment", frame([0x20, 2], ab), "ab"],
    ["a size of two bytes", frame([0x60, 44, 0], block(1, 300, true, [0x61])), "a".repeat(300)],
    ["a size of four bytes", frame([0xa0, 2, 0, 0, 0], ab), "ab"],
    ["a size of eight bytes", frame([0xe0, 2, 0, 0, 0, 0, 0, 0, 0], ab), "ab"],
    ["two blocks", frame([0, window8], block(1, 3, false, [0x61]), ab), "aaaab"],
    ["a frame to skip before it", Buffer.concat([skippable, frame([0, window8], ab)]), "ab"],
    ["a frame to skip behind it", Buffer.concat([frame([0, window8], ab), skippable]), "ab"],
  ] as const)
    test(`with ${what}, and invalid if it is cut off`, () => {
      expect(frameFault(bytes, 1000)).toBeUndefined();
      expect(zstdDecompressSync(bytes).toString()).toBe(content);
      const isBetweenFrames = (length: number) =>
        length === skippable.length || length === bytes.length - skippable.length;
      for (let length = 0; length < bytes.length; length++)
        if (!bytes.includes(skippable) || !isBetweenFrames(length))
          expect([length, frameFault(bytes.subarray(0, length), 1000)]).toEqual([length, "invalid_request"]);
    });

  test("at every level, with a checksum and without", () => {
    const text = Buffer.from("loom ".repeat(100_000));
    for (let level = 1; level <= 19; level++)
      for (const checksum of [0, 1]) {
        const bytes = zstdCompressSync(text, { params: { 100: level, 201: checksum } });
        expect(frameFault(bytes, text.length)).toBeUndefined();
        expect(frameFault(bytes.subarray(0, -1), text.length)).toBe("invalid_request");
      }
  });
});

describe("zstd data is refused", () => {
  for (const [what, bytes, fault] of [
    ["a window over 8 MiB", frame([0, window8 + 1], ab), "invalid_request"],
    ["the largest window", frame([0, 0xff], ab), "invalid_request"],
    ["a single segment over 8 MiB", frame([0xa0, 1, 0, 128, 0], ab), "invalid_request"],
    ["a size over the limit", frame([0xa0, 0, 0, 0, 2], ab), "payload_too_large"],
    [
      "a size of 16 exbibytes",
      frame([0xe0, 255, 255, 255, 255, 255, 255, 255, 255], ab),
      "payload_too_large",
    ],
    ["a block of the reserved type", frame([0, window8], block(3, 0, true, [])), "invalid_request"],
    ["another magic number", Buffer.from([1, 2, 3, 4, 5, 6, 7, 8, 9]), "invalid_request"],
  ] as const)
    test(`with ${what}`, () => {
      expect(frameFault(bytes, 16 * mebibyte)).toBe(fault);
    });
});

test("64 GB in 2 MB that do not say their size take no more memory than the limit", async () => {
  const blocks = Array.from({ length: 500_000 }, (_, i) => block(1, 128 * 1024, i === 499_999, [0x61]));
  const bomb = frame([0, window8], ...blocks);
  const allocate = spyOn(Buffer, "allocUnsafe");
  expect(await decompress(bomb, "zstd", 2 * mebibyte)).toMatchObject({ refusal: "payload_too_large" });
  const allocated = allocate.mock.calls.reduce((total, [bytes]) => total + bytes, 0);
  allocate.mockRestore();
  expect(allocated).toBeGreaterThan(mebibyte);
  expect(allocated).toBeLessThan(2.5 * mebibyte);
});
