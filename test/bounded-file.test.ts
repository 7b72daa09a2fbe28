import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBoundedFile } from "../server/bounded-file.ts";
import { createNamedPipe } from "./support/named-pipe.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "loom-bounded-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function textOf(reading: ReturnType<typeof readBoundedFile>): Promise<string> {
  return Buffer.from((await reading).bytes).toString();
}

describe("a file", () => {
  test("of the greatest size is read whole", async () => {
    const path = join(folder, "file");
    writeFileSync(path, "12345", { mode: 0o640 });
    const { bytes, mode } = await readBoundedFile(path, 5);
    expect([Buffer.from(bytes).toString(), mode & 0o777]).toEqual(["12345", 0o640]);
  });

  test("that is larger is refused, also if it has no end", async () => {
    await expect(readBoundedFile("/dev/zero", 100_000)).rejects.toThrow("larger than 100000 bytes");
  });

  test("that is empty is read at once", async () => {
    expect(await textOf(readBoundedFile("/dev/null", 5))).toBe("");
  });
});

describe("a named pipe", () => {
  test("is read to its end, also if it does not fit into the pipe at once", async () => {
    using pipe = createNamedPipe();
    const writer = Bun.spawn(["sh", "-c", `head -c 200000 /dev/zero > ${pipe.path}`]);
    expect((await readBoundedFile(pipe.path, 200_000)).bytes.length).toBe(200_000);
    expect(await writer.exited).toBe(0);
  });

  test("that nobody writes to is given up after the given time, and blocks neither the loop nor the next file", async () => {
    using pipe = createNamedPipe();
    await expect(readBoundedFile(pipe.path, 100, 50)).rejects.toThrow("no answer within 0.05 s");
    expect(await textOf(readBoundedFile("/dev/null", 5))).toBe("");
  });

  test("that is opened for writing and never written is given up too", async () => {
    using pipe = createNamedPipe();
    const reading = readBoundedFile(pipe.path, 100, 300);
    await pipe.reader();
    await expect(reading).rejects.toThrow("no answer within 0.3 s");
  });
});
