import { crc32 } from "node:zlib";

/** A file of the outbox was written by a later version of Loom. The start ends: this version would lose its events. */
export class NewerFormat extends Error {
  override readonly name = "NewerFormat";

  /**
   * @param version of the format that wrote the file
   * @param known the newest version that this Loom reads
   */
  constructor(path: string, version: number, known: number) {
    super(
      `outbox: ${path} was written by a newer Loom (format ${version}; this one reads format ${known}); ` +
        "start the newer Loom until the outbox is empty, or set another output.outbox.dir",
    );
  }
}

/**
 * The version in a block of 64 bytes, such as the header of a segment; undefined if the block is not intact. It holds for
 * every version of the format: format.ts says what later versions keep.
 */
export function tryParseBlockVersion(bytes: Buffer, magic: Buffer): number | undefined {
  if (bytes.length < 64 || !magic.equals(bytes.subarray(0, magic.length))) return undefined;
  if (bytes.readUInt32LE(60) !== crc32(bytes.subarray(0, 60))) return undefined;
  return bytes.readUInt32LE(8);
}
