import { gzip } from "node:zlib";

/** A request body, and its `Content-Encoding`; undefined: as it is. */
export interface EncodedBody {
  readonly body: Buffer;
  readonly contentEncoding: "gzip" | undefined;
}

/** Compressing a smaller body saves less than a packet. */
const minCompressedBytes = 4096;

/** Compresses on a thread of the pool, at level 1: a fifth to a quarter of the bytes for 2 to 3 ms a megabyte. */
export async function compress(body: Buffer): Promise<EncodedBody> {
  if (body.length < minCompressedBytes) return { body, contentEncoding: undefined };
  const compressed = await new Promise<Buffer>((resolve, reject) =>
    gzip(body, { level: 1 }, (error, result) => (error ? reject(error) : resolve(result))),
  );
  return { body: compressed, contentEncoding: "gzip" };
}
