import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { type DeadLetter, parseDeadLetterLine } from "./record.ts";

/** Where a line lies in the file, its line break included. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

/** What a dead-letter file holds, without the events themselves. */
export interface DeadLetterIndex {
  /** By sequence number, in the file's order: the oldest first. */
  readonly letters: Map<number, Span>;
  /** Lines that can't be read; kept as they are for somebody to look at. */
  readonly damaged: Span[];
  /** Where the last whole line ends: what follows was torn by a crash before anyone was told that it is kept. */
  size: number;
}

const readBytes = 256 * 1024;
/** A longer line is not written, and not read. */
export const maxLineBytes = 64 * 1024 * 1024;

export function emptyIndex(): DeadLetterIndex {
  return { letters: new Map(), damaged: [], size: 0 };
}

/** Reads a whole file once, line by line. */
export async function readIndex(file: FileHandle): Promise<DeadLetterIndex> {
  const index = emptyIndex();
  for await (const { span, line } of linesOf(file)) {
    index.size = span.offset + span.length;
    const entry = line && parseDeadLetterLine(line);
    if (!entry) index.damaged.push(span);
    else if (entry.kind === "delivered")
      for (const sequence of entry.sequences) index.letters.delete(sequence);
    else {
      const { sequence } = entry.letter.event;
      index.letters.delete(sequence);
      index.letters.set(sequence, span);
    }
  }
  return index;
}

/** @throws Error when there is something else by now */
export async function readLetter(file: FileHandle, span: Span): Promise<DeadLetter> {
  const entry = parseDeadLetterLine((await readSpan(file, span)).subarray(0, -1));
  if (entry?.kind !== "letter") throw new Error(`no dead letter at byte ${span.offset}`);
  return entry.letter;
}

/** Every span's bytes in order, several neighbours at a time. */
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

/** Writes all of it at this place. @throws what the system says, such as ENOSPC */
export async function writeAt(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, offset + at);
    if (bytesWritten === 0) throw new Error("the system takes no bytes");
    at += bytesWritten;
  }
}

/** Makes a name that was given or taken in its directory outlast a crash. */
export async function syncDirectoryOf(path: string): Promise<void> {
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function readSpan(file: FileHandle, { offset, length }: Span): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, length - at, offset + at);
    if (bytesRead === 0)
      throw new Error(`dead letters end at byte ${offset + at}, before ${offset + length}`);
    at += bytesRead;
  }
  return bytes;
}

/** `line` is undefined for one that is too long to be held in memory. */
async function* linesOf(file: FileHandle): AsyncGenerator<{ span: Span; line: Buffer | undefined }> {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  let offset = 0;
  for (let position = 0; ; ) {
    const chunk = Buffer.allocUnsafe(readBytes);
    const { bytesRead } = await file.read(chunk, 0, readBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    let at = 0;
    for (let end = chunk.indexOf(10); end >= 0 && end < bytesRead; end = chunk.indexOf(10, at)) {
      begun.push(chunk.subarray(at, end));
      const length = begunBytes + end + 1 - at;
      yield { span: { offset, length }, line: length > maxLineBytes ? undefined : Buffer.concat(begun) };
      offset += length;
      begun = [];
      begunBytes = 0;
      at = end + 1;
    }
    begunBytes += bytesRead - at;
    if (begunBytes > maxLineBytes) begun = [];
    else begun.push(chunk.subarray(at, bytesRead));
  }
}
