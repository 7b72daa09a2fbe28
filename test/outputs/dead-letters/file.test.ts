import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  linesOf,
  maxLineBytes,
  readRecord,
  readSpans,
  writeAt,
} from "../../../server/outputs/dead-letters/file.ts";
import { deliveredLine, recordLine } from "../../../server/outputs/dead-letters/record.ts";
import { storedEvent } from "../../support/memory-outbox.ts";

let dir: string;
let file: FileHandle;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "loom-file-"));
  file = await open(join(dir, "file"), "w+");
});

afterEach(async () => {
  await file.close();
  rmSync(dir, { recursive: true });
});

async function read() {
  const lines = [];
  for await (const { span, line } of linesOf(file)) lines.push({ ...span, text: line?.toString() });
  return lines;
}

/** Every read of the file, as its offset and length. */
function recordReads(): (readonly [number, number])[] {
  const reads: (readonly [number, number])[] = [];
  const original = file.read.bind(file);
  Object.assign(file, {
    read(buffer: Buffer, offset: number, length: number, position: number) {
      reads.push([position, length]);
      return original(buffer, offset, length, position);
    },
  });
  return reads;
}

describe("the lines of a file", () => {
  test("have their places, without what follows the last line break", async () => {
    await file.write("one\n\nthree\ntorn");
    expect(await read()).toEqual([
      { offset: 0, length: 4, text: "one" },
      { offset: 4, length: 1, text: "" },
      { offset: 5, length: 6, text: "three" },
    ]);
  });

  test("are whole if they cross the borders of reads", async () => {
    const texts = ["a", "b", "c"].map((letter, n) => letter.repeat(200_000 + n * 100_000));
    await file.write(`${texts.join("\n")}\n`);
    expect((await read()).map(({ text }) => text)).toEqual(texts);
  });

  test("are read if one ends exactly with a read", async () => {
    const first = "x".repeat(256 * 1024 - 1);
    await file.write(`${first}\nsecond\n`);
    expect(await read()).toEqual([
      { offset: 0, length: 256 * 1024, text: first },
      { offset: 256 * 1024, length: 7, text: "second" },
    ]);
  });

  test("have no text if they are over 64 MiB with their line break, and the next line is read", async () => {
    expect(maxLineBytes).toBe(64 * 1024 * 1024);
    await file.write(Buffer.from("next\n"), 0, 5, maxLineBytes + 1);
    await file.write(Buffer.from("\n"), 0, 1, maxLineBytes);
    expect(await read()).toEqual([
      { offset: 0, length: maxLineBytes + 1, text: undefined },
      { offset: maxLineBytes + 1, length: 5, text: "next" },
    ]);
  });

  test("have their text if they have exactly 64 MiB with their line break", async () => {
    await file.write(Buffer.from("\n"), 0, 1, maxLineBytes - 1);
    const [line] = await read();
    expect([line?.length, line?.text?.length]).toEqual([maxLineBytes, maxLineBytes - 1]);
  });

  test("end with the bytes that were read, whatever the buffer has behind them", async () => {
    await file.write("one\ntorn");
    const original = file.read.bind(file);
    Object.assign(file, {
      read(buffer: Buffer, offset: number, length: number, position: number) {
        buffer.fill("\n");
        return original(buffer, offset, length, position);
      },
    });
    expect(await read()).toEqual([{ offset: 0, length: 4, text: "one" }]);
  });
});

test("a record is read from its place", async () => {
  const line = recordLine({ event: storedEvent(1), reason: "bad", output: "stub", time: 5 });
  await file.write(Buffer.concat([Buffer.from("xyz\n"), line]));
  expect(await readRecord(file, { offset: 4, length: line.length })).toEqual({
    event: storedEvent(1),
    reason: "bad",
    output: "stub",
    time: 5,
  });
});

test("a place without a record, or behind the end of the file, is an error", async () => {
  const line = deliveredLine([1], 0);
  await file.write(line);
  await expect(readRecord(file, { offset: 0, length: line.length })).rejects.toThrow(
    "there is no record at byte 0",
  );
  await expect(readRecord(file, { offset: 1, length: line.length })).rejects.toThrow(
    `the file ends at byte ${line.length}, before byte ${line.length + 1}`,
  );
});

describe("spans", () => {
  const text = async (spans: readonly { offset: number; length: number }[]) => {
    const parts = [];
    for await (const bytes of readSpans(file, spans)) parts.push(bytes.toString());
    return parts;
  };

  test("are read in their order; adjacent ones together", async () => {
    await file.write("abcdefgh");
    const spans = [
      { offset: 6, length: 2 },
      { offset: 0, length: 1 },
      { offset: 1, length: 2 },
      { offset: 4, length: 1 },
    ];
    expect(await text(spans)).toEqual(["gh", "abc", "e"]);
    expect(await text([])).toEqual([]);
  });

  test("are not read together beyond 256 KiB", async () => {
    await file.write("x".repeat(600_000));
    const reads = recordReads();
    await text([0, 1, 2].map((n) => ({ offset: n * 200_000, length: 200_000 })));
    expect(reads).toEqual([
      [0, 400_000],
      [400_000, 200_000],
    ]);
  });
});

test("bytes are written completely if the system writes a part of them at a time", async () => {
  const write = file.write.bind(file);
  Object.assign(file, {
    write: (bytes: Buffer, at: number, length: number, position: number) =>
      write(bytes, at, Math.min(length, 3), position),
  });
  await writeAt(file, Buffer.from("abcdefgh"), 2);
  expect((await file.read(Buffer.alloc(20), 0, 20, 0)).buffer.toString().replaceAll("\0", ".")).toBe(
    "..abcdefgh..........",
  );
});

test("a system that accepts no bytes is an error, not a loop without end", async () => {
  Object.assign(file, { write: async () => ({ bytesWritten: 0 }) });
  await expect(writeAt(file, Buffer.from("x"), 0)).rejects.toThrow("the system accepts no bytes");
});
