/** Reads a stream of chunks in pieces of a given length. */
export class ChunkReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #buffered = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next bytes, which are not consumed; fewer than `length` at the end of the stream. */
  async peek(length: number): Promise<Buffer> {
    while (this.#buffered.length < length) {
      const { done, value } = await this.#chunks.next();
      if (done) break;
      this.#buffered = this.#buffered.length === 0 ? bufferOf(value) : Buffer.concat([this.#buffered, value]);
    }
    return this.#buffered.subarray(0, length);
  }

  /** The next bytes; fewer than `length` at the end of the stream. */
  async take(length: number): Promise<Buffer> {
    const taken = await this.peek(length);
    this.#buffered = this.#buffered.subarray(taken.length);
    return taken;
  }

  /** The next bytes, chunk by chunk, up to `length` of them or to the end of the stream. */
  async *stream(length = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      const available = (await this.peek(1)).length === 0 ? 0 : this.#buffered.length;
      if (available === 0) return;
      const chunk = await this.take(Math.min(available, left));
      left -= chunk.length;
      yield chunk;
    }
  }

  /** Ends the stream before its end. */
  async cancel(): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** The same memory as a buffer. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer<ArrayBuffer> {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}
