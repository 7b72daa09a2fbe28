/*
 * Reads ClickHouse's format RowBinary (https://clickhouse.com/docs/interfaces/formats/RowBinary): numbers are little-endian, a
 * String is its length as LEB128 and its bytes. It has no escapes, so that documents are read byte for byte.
 */

/** An answer that ends within a row. */
export class TruncatedAnswer extends Error {
  override readonly name = "TruncatedAnswer";
}

export class RowBinaryReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** True if there are no more rows. To be asked before each row. */
  async isAtEnd(): Promise<boolean> {
    return !(await this.#has(1));
  }

  async int64(): Promise<number> {
    await this.#need(8);
    const value = this.#bytes.readBigInt64LE(this.#at);
    this.#at += 8;
    return Number(value);
  }

  async uint64(): Promise<bigint> {
    await this.#need(8);
    const value = this.#bytes.readBigUInt64LE(this.#at);
    this.#at += 8;
    return value;
  }

  /** @returns bytes that stay valid */
  async string(): Promise<Buffer> {
    const length = await this.#length();
    await this.#need(length);
    const value = Buffer.from(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    return value;
  }

  /** Ends the answer, whether it was read or not. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #length(): Promise<number> {
    let length = 0;
    for (let factor = 1; factor < 2 ** 53; factor *= 128) {
      await this.#need(1);
      const byte = this.#bytes[this.#at++] ?? 0;
      length += (byte & 0x7f) * factor;
      if (byte < 0x80) return length;
    }
    throw new TruncatedAnswer("a length of more than 53 bits");
  }

  async #need(length: number): Promise<void> {
    if (!(await this.#has(length))) throw new TruncatedAnswer("the answer ends within a row");
  }

  async #has(length: number): Promise<boolean> {
    if (this.#bytes.length - this.#at >= length) return true;
    const parts = [this.#bytes.subarray(this.#at)];
    let available = parts[0]?.length ?? 0;
    while (available < length) {
      const next = await this.#chunks.next();
      if (next.done) break;
      parts.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength));
      available += next.value.byteLength;
    }
    this.#bytes = parts.length === 1 ? (parts[0] ?? this.#bytes) : Buffer.concat(parts);
    this.#at = 0;
    return available >= length;
  }
}
