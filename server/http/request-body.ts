/** Where a chunked body begins to be gathered: the size of most batches. */
const firstChunkedBytes = 64 * 1024;

export type BodyRefusal = "payload_too_large" | "client_closed_request";

/** The length that the request declares; undefined for a chunked body. */
export function declaredLength(request: Request): number | undefined {
  const header = request.headers.get("content-length");
  return header === null ? undefined : Number(header);
}

/**
 * Reads a body whole, up to a bound. A declared length over the bound is refused without reading; a chunked body is
 * given up at the chunk that passes it. What a client still sends then is thrown away by Bun without being kept,
 * because closing at once would reset the connection and the client would not see the answer.
 */
export async function readBody(request: Request, maxBytes: number): Promise<Buffer | BodyRefusal> {
  const declared = declaredLength(request);
  if (declared !== undefined && !(declared <= maxBytes)) return "payload_too_large";
  try {
    if (declared !== undefined) return asBuffer(await request.bytes());
    return request.body ? await readChunks(request.body, maxBytes) : Buffer.alloc(0);
  } catch {
    // The connection was closed, or the body took longer than it may.
    return "client_closed_request";
  }
}

/** Into one buffer that grows: kept as they come, chunks of one byte each would take a hundred times their size. */
async function readChunks(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Buffer | BodyRefusal> {
  let bytes = Buffer.allocUnsafeSlow(Math.min(firstChunkedBytes, maxBytes));
  let length = 0;
  for await (const chunk of body) {
    const start = length;
    length += chunk.length;
    if (length > maxBytes) return "payload_too_large";
    if (length > bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(length, bytes.length * 2), maxBytes));
      bytes.copy(larger, 0, 0, start);
      bytes = larger;
    }
    bytes.set(chunk, start);
  }
  return bytes.subarray(0, length);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
