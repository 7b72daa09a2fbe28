import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { ChunkReader } from "./chunk-reader.ts";
import { blockBytes, databaseInTar, isTarHeader } from "./database-in-tar.ts";
import { UpdateError } from "./update-error.ts";

/**
 * Yields the bytes of a database that was downloaded as it is, as gz, tar or tar.gz. Its first bytes tell which, because
 * names and content types are often wrong.
 * @param maxBytes no more are decompressed
 * @throws UpdateError
 */
export async function* unpackDatabase(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Buffer> {
  const packed = new ChunkReader(chunks);
  const start = await packed.peek(2);
  const isGzip = start[0] === 0x1f && start[1] === 0x8b;
  const content = isGzip ? new ChunkReader(gunzip(packed.stream(), maxBytes)) : packed;
  try {
    const isTar = isTarHeader(await content.peek(blockBytes));
    yield* isTar ? databaseInTar(content) : content.stream();
  } finally {
    await content.cancel();
    await packed.cancel();
  }
}

async function* gunzip(packed: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  const decompressor = createGunzip();
  // An error reaches the loop below, because `pipeline` destroys the decompressor with it.
  const feeding = pipeline(Readable.from(packed), decompressor).catch(() => {});
  let length = 0;
  try {
    for await (const chunk of decompressor) {
      length += chunk.length;
      if (length > maxBytes) throw new UpdateError(`it decompresses to more than ${maxBytes} bytes`);
      yield chunk;
    }
    await feeding;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code !== "string" || !code.startsWith("Z_")) throw error;
    throw new UpdateError("its gzip data are damaged or cut off", { cause: error });
  }
}
