import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** A smaller body fits into a few packets without compression. */
const minCompressedBytes = 4096;

/** 1 for bodies that are built for each answer; 9 for files, which are compressed once. */
export type CompressionLevel = 1 | 9;

const gzipOnPool = promisify(gzip);

/** Compresses on a thread of Bun's pool, so that ingest continues. */
export function compress(bytes: Uint8Array, level: CompressionLevel): Promise<Uint8Array<ArrayBuffer>> {
  return gzipOnPool(bytes, { level }) as Promise<Uint8Array<ArrayBuffer>>;
}

/** True if the client accepts gzip: it is named, and its weight is not zero (RFC 9110 12.5.3). */
export function acceptsGzip({ headers }: Request): boolean {
  const codings = (headers.get("accept-encoding") ?? "").split(",");
  return codings.some((coding) => /^\s*(gzip|\*)\s*($|;\s*q=(1|0\.\d*[1-9]))/i.test(coding));
}

/** The same answer, compressed if it is JSON, large enough, and the client accepts gzip. */
export async function compressJson(request: Request, response: Response): Promise<Response> {
  const { status, headers } = response;
  const isJson = headers.get("content-type")?.startsWith("application/json") === true;
  if (!isJson || request.method === "HEAD" || headers.has("content-encoding")) return response;
  headers.append("vary", "accept-encoding");
  if (!acceptsGzip(request)) return response;
  const bytes = await response.bytes();
  if (bytes.length < minCompressedBytes) return new Response(bytes, { status, headers });
  headers.set("content-encoding", "gzip");
  return new Response(await compress(bytes, 1), { status, headers });
}
