import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/*
 * Compressed blobs of the store, little-endian:
 *
 *   uint64   xxHash64 of all that follows
 *   uint32   length of the content in bytes
 *   bytes    one zstd frame (RFC 8878, level 3)
 *
 * The hash is the blob's own, because Bun neither checks the checksum of a frame nor notices that a frame is cut off if the
 * content has the expected length.
 */

const hashBytes = 8;
const headerBytes = hashBytes + 4;
const parameters = { [constants.ZSTD_c_compressionLevel]: 3 };

/** A blob of the store is damaged. */
export class DamagedBlob extends Error {
  override readonly name = "DamagedBlob";
}

/** Compresses a blob. @param content shorter than 4 GiB */
export function pack(content: Uint8Array): Buffer {
  const frame = zstdCompressSync(content, { params: parameters });
  const blob = Buffer.allocUnsafe(headerBytes + frame.length);
  blob.writeUInt32LE(content.length, hashBytes);
  frame.copy(blob, headerBytes);
  blob.writeBigUInt64LE(hashOf(blob));
  return blob;
}

/**
 * Decompresses a blob.
 * @param maxBytes the most that a blob of this kind may contain
 * @throws DamagedBlob if it was changed, cut off, or says that it is larger
 */
export function unpack(blob: Uint8Array, maxBytes: number): Buffer {
  if (blob.length < headerBytes) throw new DamagedBlob(`a blob has only ${blob.length} bytes`);
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length);
  if (bytes.readBigUInt64LE() !== hashOf(bytes)) throw new DamagedBlob("a blob does not have its hash");
  const length = bytes.readUInt32LE(hashBytes);
  if (length > maxBytes)
    throw new DamagedBlob(`a blob claims ${length} bytes; at most ${maxBytes} are possible`);
  try {
    const content = zstdDecompressSync(bytes.subarray(headerBytes), {
      maxOutputLength: Math.max(length, 1),
      // One piece, and the smallest that zlib accepts.
      chunkSize: Math.max(length, 64),
    });
    if (content.length === length) return content;
    throw new Error(`it has ${content.length} bytes instead of ${length}`);
  } catch (error) {
    throw new DamagedBlob(`a blob cannot be decompressed: ${(error as Error).message}`, { cause: error });
  }
}

function hashOf(blob: Buffer): bigint {
  return Bun.hash.xxHash64(blob.subarray(hashBytes));
}
