import type { FileHandle } from "node:fs/promises";
import { type DeadLetter, parseDeadLetterLine } from "./record.ts";

/** The place of a line in a file, in bytes, with its line break. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

const readBytes = 256 * 1024;
/** A longer line is neither written nor read. */
export const maxLineBytes = 64 * 1024 * 1024;

/**
 * The whole lines of a file. What follows the last line break is left out.
 * `line` has no line break, and is undefined for a line over `maxLineBytes`.
 */
export async function* linesOf(
  file: FileHandle,
): AsyncGenerator<{ readonly span: Span; readonly line: Buffer | undefined }> {
  let parts: Buffer[] = [];
  let partBytes = 0;
  let offset = 0;
  for (let position = 0; ; ) {
    const chunk = Buffer.allocUnsafe(readBytes);
    const { bytesRead } = await file.read(chunk, 0, readBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    let at = 0;
    for (let end = chunk.indexOf(10); end >= 0 && end < bytesRead; end = chunk.indexOf(10, at)) {
      parts.push(chunk.subarray(at, end));
      const length = partBytes + end + 1 - at;
      yield { span: { offset, length }, line: length > maxLineBytes ? undefined : Buffer.concat(parts) };
      offset += length;
      parts = [];
      partBytes = 0;
      at = end + 1;
    }
    partBytes += bytesRead - at;
    if (partBytes > maxLineBytes) parts = [];
    else parts.push(chunk.subarray(at, bytesRead));
  }
}

/** @throws Error when the line at this place is not a record */
export async function readRecord(file: FileHandle, span: Span): Promise<DeadLetter> {
  const parsed = parseDeadLetterLine((await readSpan(file, span)).subarray(0, -1));
  if (parsed?.kind !== "record") throw new Error(`there is no record at byte ${span.offset}`);
  return parsed.record;
}

/** The bytes of all spans, in order. Spans that are adjacent in the file are read together. */
export async function* readSpans(file: FileHandle, spans: Iterable<Span>): AsyncGenerator<Buffer> {
  let run: Span | undefined;
  for (const span of spans) {
    if (run && run.offset + run.length === span.offset && run.length < readBytes)
      run = { offset: run.offset, length: run.length + span.length };
    else {
      if (run) yield await readSpan(file, run);
      run = span;
    }
  }
  if (run) yield await readSpan(file, run);
}

/** Writes all bytes at this offset. @throws the error of the system, such as ENOSPC */
export async function writeAt(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, offset + at);
    if (bytesWritten === 0) throw new Error("the system accepts no bytes");
    at += bytesWritten;
  }
}

async function readSpan(file: FileHandle, { offset, length }: Span): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, length - at, offset + at);
    if (bytesRead === 0)
      throw new Error(`the file ends at byte ${offset + at}, before byte ${offset + length}`);
    at += bytesRead;
  }
  return bytes;
}
