import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its end; undefined: it is longer than allowed. */
  readonly bytes: Buffer | undefined;
}

export interface LineSource {
  /** @param path "-": stdin */
  readonly path: string;
  readonly maxLineBytes: number;
  readonly signal: AbortSignal;
  /** Told how many bytes were read, as they are in the file. */
  readonly onRead: (bytes: number) => void;
}

const chunkBytes = 256 * 1024;
const lineFeed = 0x0a;
/** https://www.rfc-editor.org/rfc/rfc1952#page-6 */
const gzipMagic = Buffer.from([0x1f, 0x8b]);

/**
 * Reads the lines of a file, which may be compressed with gzip. Empty lines are counted and left out.
 * @throws Error of the system or of zlib; the reason of the signal
 */
export async function* readLines(source: LineSource): AsyncGenerator<Line> {
  const joiner = new LineJoiner(source.maxLineBytes);
  for await (const chunk of contentOf(source)) {
    source.signal.throwIfAborted();
    for (let start = 0; start < chunk.length; ) {
      const found = chunk.indexOf(lineFeed, start);
      const end = found < 0 ? chunk.length : found;
      joiner.add(chunk.subarray(start, end));
      if (found >= 0) yield* joiner.endLine();
      start = end + 1;
    }
  }
  yield* joiner.endLine();
}

/** Joins the parts of a line, and forgets those of one that is too long. */
class LineJoiner {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #sizeBytes = 0;
  #number = 1;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(part: Buffer): void {
    this.#sizeBytes += part.length;
    if (this.#sizeBytes > this.#maxBytes) this.#parts = [];
    else this.#parts.push(part);
  }

  *endLine(): Generator<Line> {
    const number = this.#number++;
    const [first, ...others] = this.#parts;
    if (this.#sizeBytes > this.#maxBytes) yield { number, bytes: undefined };
    else if (first && this.#sizeBytes > 0)
      yield { number, bytes: others.length === 0 ? first : Buffer.concat(this.#parts) };
    this.#parts = [];
    this.#sizeBytes = 0;
  }
}

async function* contentOf({ path, signal, onRead }: LineSource): AsyncGenerator<Buffer> {
  const input = path === "-" ? process.stdin : createReadStream(path, { highWaterMark: chunkBytes });
  const onAbort = () => input.destroy(signal.reason as Error);
  signal.addEventListener("abort", onAbort);
  const chunks = counted(input, onRead);
  try {
    const start = await readStart(chunks);
    const whole = continued(start, chunks);
    if (start.subarray(0, gzipMagic.length).equals(gzipMagic)) yield* unzipped(whole);
    else yield* whole;
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener("abort", onAbort);
    input.destroy();
  }
}

async function* counted(input: AsyncIterable<Buffer>, onRead: (bytes: number) => void) {
  for await (const chunk of input) {
    onRead(chunk.length);
    yield chunk;
  }
}

/** As much as tells whether it is compressed: a pipe may give a single byte. */
async function readStart(chunks: AsyncGenerator<Buffer>): Promise<Buffer> {
  let start: Buffer = Buffer.alloc(0);
  while (start.length < gzipMagic.length) {
    const { value, done } = await chunks.next();
    if (done) break;
    start = Buffer.concat([start, value]);
  }
  return start;
}

async function* continued(start: Buffer, chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield start;
  yield* chunks;
}

async function* unzipped(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const compressed = Readable.from(chunks);
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  compressed.on("error", (error) => gunzip.destroy(error));
  yield* compressed.pipe(gunzip);
}
