import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { type ContentCoding, decompress } from "../../server/http/decompression.ts";

const compress: Readonly<Record<ContentCoding, (bytes: Uint8Array) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
};
const codings = Object.keys(compress) as ContentCoding[];
const text = '[{"source":{"ip":"81.2.69.142"}},{"é":"☃"}]';
const mebibyte = 1024 * 1024;

async function resultOf(bytes: Buffer, coding: ContentCoding, maxBytes = 1000): Promise<string> {
  const result = await decompress(bytes, coding, maxBytes);
  return result.kind === "accepted" ? result.value.toString() : result.refusal;
}

afterEach(() => {
  mock.restore();
});

for (const coding of codings) {
  const whole = compress[coding](Buffer.from(text));
  const followedBy = (bytes: Uint8Array | string) =>
    resultOf(Buffer.concat([whole, Buffer.from(bytes as Uint8Array)]), coding);

  describe(coding, () => {
    test("is decompressed", async () => {
      expect(await resultOf(whole, coding)).toBe(text);
      expect(await resultOf(compress[coding](Buffer.alloc(0)), coding)).toBe("");
    });

    test("that has several pieces is joined", async () => {
      const digits = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i.toString(36)).join(""));
      const result = await decompress(compress[coding](digits), coding, digits.length);
      expect(result.kind === "accepted" && result.value.equals(digits)).toBe(true);
    });

    test("may have the largest size and not one byte more", async () => {
      for (const length of [10, 300_000, 2 * mebibyte]) {
        const bytes = compress[coding](Buffer.alloc(length, "x"));
        expect(await resultOf(bytes, coding, length)).toHaveLength(length);
        expect(await resultOf(bytes, coding, length - 1)).toBe("payload_too_large");
      }
    });

    test("that is cut off anywhere is invalid", async () => {
      for (let length = 0; length < whole.length; length++)
        expect([length, await resultOf(whole.subarray(0, length), coding)]).toEqual([
          length,
          "invalid_request",
        ]);
    });

    test("with something else behind it is invalid", async () => {
      for (const more of [
        "x",
        "garbage that is longer than any header",
        "\0",
        "\0".repeat(512),
        "\0x",
        "\x1f",
      ])
        expect([more, await followedBy(more)]).toEqual([more, "invalid_request"]);
    });

    test("whose bytes are changed is never a defect", async () => {
      for (let at = 0; at < whole.length; at++)
        for (const bit of [1, 16, 128]) {
          const changed = Buffer.from(whole);
          changed[at] = (changed[at] as number) ^ bit;
          await resultOf(changed, coding);
        }
    });

    test("of a thousandth of its content takes no more memory than the limit", async () => {
      const bomb = compress[coding](Buffer.alloc(64 * mebibyte));
      const allocate = spyOn(Buffer, "allocUnsafe");
      expect(await resultOf(bomb, coding, 2 * mebibyte)).toBe("payload_too_large");
      const allocated = allocate.mock.calls.reduce((total, [bytes]) => total + bytes, 0);
      expect(allocated).toBeLessThan(2.5 * mebibyte);
      // zstd says the size in front, and is then not decompressed at all.
      if (coding !== "zstd") expect(allocated).toBeGreaterThan(mebibyte);
    });
  });
}

test("several gzip members and several zstd frames are joined; several zlib streams are invalid", async () => {
  for (const coding of codings) {
    const members = Buffer.concat([compress[coding](Buffer.from("[")), compress[coding](Buffer.from("]"))]);
    expect([coding, await resultOf(members, coding)]).toEqual([
      coding,
      coding === "deflate" ? "invalid_request" : "[]",
    ]);
    if (coding !== "deflate") expect(await resultOf(members.subarray(0, -1), coding)).toBe("invalid_request");
  }
});

test("deflate without the zlib format around it is invalid", async () => {
  expect(await resultOf(deflateRawSync(text), "deflate")).toBe("invalid_request");
});

test("only the outer of two codings is removed", async () => {
  const inner = gzipSync(text);
  const result = await decompress(gzipSync(inner), "gzip", 1000);
  expect(result.kind === "accepted" && result.value.equals(inner)).toBe(true);
});
