/*
 * The outline of zstd data (RFC 8878 3.1): frames of a header, blocks and an optional checksum, and frames to skip. It is
 * checked without decompressing anything.
 */

const zstdMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
/** RFC 9659 3: what a decoder of a content coding must support, and an encoder may ask for. */
const maxWindowBytes = 8 * 1024 * 1024;

const rleBlock = 1;
const reservedBlock = 3;
/** The sizes of the dictionary id and of the content size, by their flags in the frame header. */
const dictionaryIdBytes = [0, 1, 2, 4];
const contentSizeBytes = [0, 2, 4, 8];

class Fault {
  constructor(readonly code: "invalid_request" | "payload_too_large") {}
}
const invalid = new Fault("invalid_request");

/**
 * Says why zstd data cannot be decompressed into at most `maxBytes`.
 * @returns undefined for one or more whole frames that announce no more than that
 */
export function frameFault(bytes: Buffer, maxBytes: number): Fault["code"] | undefined {
  let at = 0;
  do {
    const end = frameEnd(bytes, at, maxBytes);
    if (end instanceof Fault) return end.code;
    at = end;
  } while (at < bytes.length);
  return at === bytes.length ? undefined : invalid.code;
}

/** @returns the position after the frame at `start`, which is after the end of the bytes if the frame is cut off */
function frameEnd(bytes: Buffer, start: number, maxBytes: number): number | Fault {
  if (start + 8 > bytes.length) return invalid;
  const magic = bytes.readUInt32LE(start);
  if ((magic & 0xfffffff0) >>> 0 === skippableMagic) return start + 8 + bytes.readUInt32LE(start + 4);
  if (magic !== zstdMagic) return invalid;
  const descriptor = bytes[start + 4] as number;
  const firstBlock = headerEnd(bytes, start + 5, descriptor, maxBytes);
  if (firstBlock instanceof Fault) return firstBlock;
  const lastEnd = blocksEnd(bytes, firstBlock);
  const hasChecksum = (descriptor & 4) !== 0;
  return lastEnd instanceof Fault || !hasChecksum ? lastEnd : lastEnd + 4;
}

function headerEnd(bytes: Buffer, start: number, descriptor: number, maxBytes: number): number | Fault {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = isSingleSegment && sizeFlag === 0 ? 1 : (contentSizeBytes[sizeFlag] as number);
  const sizeAt = start + (isSingleSegment ? 0 : 1) + (dictionaryIdBytes[descriptor & 3] as number);
  const end = sizeAt + sizeBytes;
  if (end > bytes.length) return invalid;
  const contentSize = contentSizeAt(bytes, sizeAt, sizeBytes);
  if (contentSize > maxBytes) return new Fault("payload_too_large");
  const windowBytes = isSingleSegment ? contentSize : windowSize(bytes[start] as number);
  return windowBytes > maxWindowBytes ? invalid : end;
}

/** @returns 0 if the frame does not say its size */
function contentSizeAt(bytes: Buffer, at: number, sizeBytes: number): number {
  if (sizeBytes === 0) return 0;
  if (sizeBytes === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function blocksEnd(bytes: Buffer, start: number): number | Fault {
  for (let at = start; at + 3 <= bytes.length; ) {
    const header = bytes.readUIntLE(at, 3);
    const type = (header >> 1) & 3;
    if (type === reservedBlock) return invalid;
    at += 3 + (type === rleBlock ? 1 : header >> 3);
    if ((header & 1) === 1) return at;
  }
  return invalid;
}
