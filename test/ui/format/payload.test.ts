import { expect, test } from "bun:test";
import { hexDump, payloadFromHex, payloadFromText } from "../../../ui/format/payload.ts";

test("a dump has 16 bytes per line, with their offset and ASCII", () => {
  const payload = payloadFromHex(Buffer.from("GET / HTTP/1.1\r\n<x>\x00\xff", "latin1").toString("hex"));
  expect(hexDump(payload?.bytes ?? new Uint8Array())).toBe(
    [
      "000000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  GET / HTTP/1.1..",
      "000010  3c 78 3e 00 ff                                    <x>..",
    ].join("\n"),
  );
});

test("text that is not hexadecimal is not a payload", () => {
  expect(["", "abc", "zz", "0x12", "12 34"].map(payloadFromHex)).toEqual(Array(5).fill(undefined));
});

test("a payload over the limit is cut, with the number of bytes left out", () => {
  expect(payloadFromText("a".repeat(70_000))).toMatchObject({ cutBytes: 70_000 - 65_536 });
});
