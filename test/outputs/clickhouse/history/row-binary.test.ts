import { expect, test } from "bun:test";
import {
  RowBinaryReader,
  TruncatedAnswer,
} from "../../../../server/outputs/clickhouse/history/row-binary.ts";

const long = "é\0".repeat(100);

function rowBytes(): Buffer {
  const numbers = Buffer.alloc(16);
  numbers.writeBigInt64LE(-5n, 0);
  numbers.writeBigUInt64LE(2n ** 64n - 1n, 8);
  const text = Buffer.from(long);
  return Buffer.concat([
    numbers,
    Buffer.from([(text.length & 0x7f) | 0x80, text.length >> 7]),
    text,
    Buffer.from([0]),
  ]);
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readRow(reader: RowBinaryReader) {
  return [
    await reader.int64(),
    await reader.uint64(),
    (await reader.string()).toString(),
    (await reader.string()).toString(),
  ];
}

for (const size of [1, 7, 1000])
  test(`rows that arrive in pieces of ${size} bytes are read whole`, async () => {
    const reader = new RowBinaryReader(inPieces(Buffer.concat([rowBytes(), rowBytes()]), size));
    const rows: unknown[] = [];
    while (!(await reader.isAtEnd())) rows.push(await readRow(reader));
    const row = [-5, 2n ** 64n - 1n, long, ""];
    expect(rows).toEqual([row, row]);
  });

test("an answer that ends within a row is refused", async () => {
  const bytes = rowBytes();
  for (let length = 1; length < bytes.length; length++)
    await expect(readRow(new RowBinaryReader(inPieces(bytes.subarray(0, length), 50)))).rejects.toThrow(
      TruncatedAnswer,
    );
});

test("a length beyond 53 bits is refused", async () => {
  const reader = new RowBinaryReader(inPieces(Buffer.alloc(20, 0xff), 5));
  await expect(reader.string()).rejects.toThrow(TruncatedAnswer);
});
