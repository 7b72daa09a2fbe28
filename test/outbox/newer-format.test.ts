import { expect, test } from "bun:test";
import { crc32 } from "node:zlib";
import { createMemoryDisk, type MemoryDisk } from "./memory-disk.ts";
import { batchOf, drain, openTestOutbox } from "./outboxes.ts";

const dir = "/outbox";
const segment = `${dir}/00000000000000000001.seg`;
const cursor = `${dir}/cursors/clickhouse.cursor`;
const secondFrame = 64 + 40 + "spip-001\n{}\n".length;

/** An outbox that was closed with two frames, one of them delivered. */
async function closedOutbox(): Promise<MemoryDisk> {
  const disk = createMemoryDisk();
  const outbox = await openTestOutbox({ dir, files: disk });
  await outbox.append(batchOf("{}"));
  await drain(outbox.reader("clickhouse"));
  await outbox.append(batchOf('{"n":2}'));
  await outbox.close();
  return disk;
}

function edit(disk: MemoryDisk, path: string, change: (content: Buffer) => void): void {
  const inode = disk.entries.get(path);
  if (!inode) throw new Error(`there is no ${path}`);
  inode.content = Buffer.from(inode.content);
  change(inode.content);
}

/** Gives a block of 64 bytes another version, and the checksum that belongs to it. */
function setBlockVersion(content: Buffer, start: number, version: number): void {
  content.writeUInt32LE(version, start + 8);
  content.writeUInt32LE(crc32(content.subarray(start, start + 60)), start + 60);
}

function setFrameVersion(content: Buffer, start: number, version: number): void {
  content[start + 3] = version;
  content.writeUInt32LE(crc32(content.subarray(start, start + 36)), start + 36);
}

const newer: readonly (readonly [string, string, (content: Buffer) => void])[] = [
  ["segment", segment, (content) => setBlockVersion(content, 0, 7)],
  ["frame", segment, (content) => setFrameVersion(content, secondFrame, 7)],
  ["first slot of a cursor", cursor, (content) => setBlockVersion(content, 0, 7)],
  ["second slot of a cursor", cursor, (content) => setBlockVersion(content, 4096, 7)],
];

for (const [what, path, change] of newer)
  test(`an outbox with a ${what} of a newer version is refused, and nothing in it changes`, async () => {
    const disk = await closedOutbox();
    edit(disk, path, change);
    const before = [...disk.entries].map(([name, { content }]) => [name, content.toString("hex")]);
    await expect(openTestOutbox({ dir, files: disk })).rejects.toThrow(
      new Error(
        `outbox: ${path} was written by a newer Loom (format 7; this one reads format 1); ` +
          "start the newer Loom until the outbox is empty, or set another output.outbox.dir",
      ),
    );
    expect([...disk.entries].map(([name, { content }]) => [name, content.toString("hex")])).toEqual(before);
  });

test("a version whose checksum is wrong is damage", async () => {
  const disk = await closedOutbox();
  edit(disk, segment, (content) => {
    content.writeUInt32LE(7, 8);
    content[secondFrame + 3] = 7;
  });
  edit(disk, cursor, (content) => content.writeUInt32LE(7, 4096 + 8));
  const outbox = await openTestOutbox({ dir, files: disk });
  expect(outbox.id).toHaveLength(32);
});

test("an event with the bytes of a newer frame in it is not taken for one", async () => {
  const disk = createMemoryDisk();
  const before = await openTestOutbox({ dir, files: disk });
  const frame = Buffer.alloc(40);
  frame.write("\xffLF", "latin1");
  setFrameVersion(frame, 0, 7);
  const document = JSON.stringify(frame.toString("latin1"));
  await before.append(batchOf(document));
  await before.close();
  const outbox = await openTestOutbox({ dir, files: disk });
  expect(await drain(outbox.reader("clickhouse"))).toEqual([document]);
});
