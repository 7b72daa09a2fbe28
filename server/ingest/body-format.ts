import type { ContentCoding } from "../http/decompression.ts";
import { accepted, type Result, refused } from "../result.ts";
import type { Refusal } from "./refusal.ts";

/** How a request's headers say that its body is to be read. */
export interface BodyFormat {
  /** One object a line, instead of an array or one object. */
  readonly isLines: boolean;
  /** undefined: the body is not compressed. */
  readonly coding: ContentCoding | undefined;
}

const codings: Readonly<Record<string, ContentCoding | undefined>> = {
  gzip: "gzip",
  // RFC 9110 8.4.1.3
  "x-gzip": "gzip",
  deflate: "deflate",
  zstd: "zstd",
};

const plainArray = accepted<BodyFormat>({ isLines: false, coding: undefined });
const plainLines = accepted<BodyFormat>({ isLines: true, coding: undefined });
const otherType = refused<Refusal>({
  code: "invalid_content_type",
  detail: "the Content-Type is neither application/json nor application/x-ndjson",
});
const otherCoding = refused<Refusal>({
  code: "invalid_content_type",
  acceptEncoding: "gzip, deflate, zstd",
  detail: "the Content-Encoding is not exactly one of gzip, deflate and zstd",
});

export function bodyFormat({ headers }: Request): Result<BodyFormat, Refusal> {
  const type = headers.get("content-type") ?? "";
  const isArray = /^application\/json *(;|$)/i.test(type);
  if (!isArray && !/^application\/(x-ndjson|ndjson|jsonl) *(;|$)/i.test(type)) return otherType;
  const encoding = headers.get("content-encoding")?.toLowerCase() ?? "identity";
  if (encoding === "identity") return isArray ? plainArray : plainLines;
  const coding = Object.hasOwn(codings, encoding) ? codings[encoding] : undefined;
  return coding ? accepted({ isLines: !isArray, coding }) : otherCoding;
}
