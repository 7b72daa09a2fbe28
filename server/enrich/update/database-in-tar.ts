import type { ChunkReader } from "./chunk-reader.ts";
import { UpdateError } from "./update-error.ts";

/** The header of each member has one block, and its content is filled up to whole blocks. */
export const blockBytes = 512;
/** MaxMind's archives have fewer than 10 members. */
const maxMembers = 1_000;

const fields = { name: [0, 100], size: [124, 136], checksum: [148, 156] } as const;
const typeOffset = 156;

/**
 * Yields the bytes of the one member of a tar archive whose name ends with ".mmdb". Names are used for nothing else, and
 * nothing but this member is stored.
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06 "ustar Interchange Format"
 * @throws UpdateError if there is no such member or more than one, or the archive is damaged or cut off
 */
export async function* databaseInTar(archive: ChunkReader): AsyncGenerator<Buffer> {
  let isFound = false;
  for (let members = 0; ; members++) {
    const header = await archive.take(blockBytes);
    if (header.length < blockBytes || header.every((byte) => byte === 0)) break;
    if (members >= maxMembers) throw new UpdateError(`the archive has more than ${maxMembers} members`);
    if (!isTarHeader(header)) throw new UpdateError("the archive is damaged");
    const size = numberIn(header, "size");
    if (size === undefined)
      throw new UpdateError("the archive has a member with a size that is not a number");
    const isDatabase = isFile(header) && /(?:^|\/)(?!\._)[^/]*\.mmdb$/i.test(textIn(header, "name"));
    if (isDatabase && isFound) throw new UpdateError("the archive has more than one mmdb file");
    isFound ||= isDatabase;
    for await (const chunk of exactly(archive, size)) if (isDatabase) yield chunk;
    for await (const _ of exactly(archive, -size & (blockBytes - 1)));
  }
  // The checksum covers what follows the archive too.
  for await (const _ of archive.stream());
  if (!isFound) throw new UpdateError("the archive has no mmdb file");
}

/** Whether a block is the header of a member: its checksum is right. */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < blockBytes) return false;
  const [start, end] = fields.checksum;
  // The checksum is calculated as if its own field contained blanks.
  const sum = block.reduce((sum, byte, i) => sum + (i >= start && i < end ? 0x20 : byte), 0);
  return numberIn(block, "checksum") === sum;
}

async function* exactly(archive: ChunkReader, size: number): AsyncGenerator<Buffer> {
  let length = 0;
  for await (const chunk of archive.stream(size)) {
    length += chunk.length;
    yield chunk;
  }
  if (length < size) throw new UpdateError("the archive is cut off");
}

function isFile(header: Uint8Array): boolean {
  const type = header[typeOffset];
  return type === 0 || type === 0x30;
}

function textIn(header: Uint8Array, field: keyof typeof fields): string {
  const bytes = Buffer.from(header.subarray(...fields[field]));
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end === -1 ? undefined : end);
}

/** An octal number of at most 11 digits; undefined for anything else, such as the binary form for more than 8 GiB. */
function numberIn(header: Uint8Array, field: keyof typeof fields): number | undefined {
  const digits = textIn(header, field).trim();
  return /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}
