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

async function readChunks(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Buffer | BodyRefusal> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) return "payload_too_large";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
