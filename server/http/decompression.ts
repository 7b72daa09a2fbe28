import { gunzip, inflate, zstdDecompress } from "node:zlib";
import { accepted, type Result, refused } from "../result.ts";
import { frameFault } from "./zstd-frames.ts";

/** The content codings of RFC 9110 8.4.1 and RFC 8878 that a body may have. */
export type ContentCoding = "gzip" | "deflate" | "zstd";

export type DecompressionRefusal = "invalid_request" | "payload_too_large";

/** Fewer, larger pieces are faster, because each piece is one job of the pool. */
const maxPieceBytes = 256 * 1024;
const minPieceBytes = 64;

interface Decompressed {
  readonly buffer: Buffer;
  /** Its `bytesWritten` is the number of compressed bytes that were used. */
  readonly engine: { readonly bytesWritten: number };
}

type Decompress = (
  bytes: Buffer,
  options: { maxOutputLength: number; chunkSize: number; info: true },
  callback: (error: NodeJS.ErrnoException | null, result: Decompressed) => void,
) => void;

// @types/node does not know the results with `info: true`.
const decompressors: Readonly<Record<ContentCoding, Decompress>> = {
  gzip: gunzip as unknown as Decompress,
  deflate: inflate as unknown as Decompress,
  zstd: zstdDecompress as unknown as Decompress,
};

/**
 * Decompresses a body on Bun's thread pool. Decompression stops at the first piece that exceeds `maxBytes`.
 *
 * The data must be complete and end with the body. Several gzip members (RFC 1952 2.2) or zstd frames (RFC 8878 3.1) are
 * joined. `deflate` is the zlib format, as RFC 9110 8.4.1.2 requires.
 */
export async function decompress(
  bytes: Buffer,
  coding: ContentCoding,
  maxBytes: number,
): Promise<Result<Buffer, DecompressionRefusal>> {
  // Bun accepts zstd data that is cut off, so the frames are checked here.
  const fault = coding === "zstd" ? frameFault(bytes, maxBytes) : undefined;
  if (fault) return refused(fault);
  const chunkSize = Math.max(minPieceBytes, Math.min(maxPieceBytes, maxBytes));
  return new Promise((resolve, reject) => {
    decompressors[coding](bytes, { maxOutputLength: maxBytes, chunkSize, info: true }, (error, result) => {
      if (!error) {
        // What follows a zlib stream or the zero byte after a gzip member is ignored by zlib.
        const isWhole = result.engine.bytesWritten === bytes.length;
        resolve(isWhole ? accepted(result.buffer) : refused("invalid_request"));
      } else if (error.code === "ERR_BUFFER_TOO_LARGE") {
        resolve(refused("payload_too_large"));
      } else if (/^(Z_(DATA_ERROR|BUF_ERROR|NEED_DICT)$|ZSTD_)/i.test(error.code ?? "")) {
        resolve(refused("invalid_request"));
      } else {
        reject(error);
      }
    });
  });
}
