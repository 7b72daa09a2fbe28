import { accepted, type Result, refused } from "../result.ts";

/** The initial size of the buffer for a chunked body; most batches fit into it. */
const firstChunkedBytes = 64 * 1024;

export type BodyRefusal = "payload_too_large" | "client_closed_request";

/**
 * The length that the request declares, in bytes; undefined for a chunked body. Bun refuses headers that differ, and
 * joins equal ones, as in "2, 2" (RFC 9110 8.6).
 */
export function declaredLength(request: Request): number | undefined {
  const header = request.headers.get("content-length");
  return header === null ? undefined : Number.parseInt(header, 10);
}

/**
 * Reads a whole body of at most `maxBytes`. A declared length over the bound is refused without reading; a chunked body
 * is read up to the first chunk that exceeds it. Bun discards what the client still sends after that: closing the
 * connection at once would reset it, and the client would not see the answer.
 */
export async function readBody(request: Request, maxBytes: number): Promise<Result<Buffer, BodyRefusal>> {
  const declared = declaredLength(request);
  if (declared !== undefined && !(declared <= maxBytes)) return refused("payload_too_large");
  try {
    if (declared !== undefined) return accepted(asBuffer(await request.bytes()));
    return request.body ? await readChunks(request.body, maxBytes) : accepted(Buffer.alloc(0));
  } catch {
    // The connection was closed, or the body took longer than the time limit.
    return refused("client_closed_request");
  }
}

/** Copies the chunks into one growing buffer: separate chunks of one byte each would take a hundred times their size. */
async function readChunks(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Result<Buffer, BodyRefusal>> {
  let bytes = Buffer.allocUnsafeSlow(Math.min(firstChunkedBytes, maxBytes));
  let length = 0;
  for await (const chunk of body) {
    const start = length;
    length += chunk.length;
    if (length > maxBytes) return refused("payload_too_large");
    if (length > bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(length, bytes.length * 2), maxBytes));
      bytes.copy(larger, 0, 0, start);
      bytes = larger;
    }
    bytes.set(chunk, start);
  }
  return accepted(bytes.subarray(0, length));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
