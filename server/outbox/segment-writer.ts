import { join } from "node:path";
import { errorText, type FileLayer, type OutboxFile, writeFully } from "./file-layer.ts";
import { encodeSegmentHeader, type SegmentHeader, segmentHeaderBytes, segmentName } from "./format.ts";
import type { Segment } from "./segment.ts";

/** The segment that is appended to. One commit at a time. */
export interface SegmentWriter {
  readonly segment: Segment;
  /** False once it can't be appended to any more, because nobody knows what of it is on the disk. */
  readonly isTrusted: boolean;
  /**
   * Resolves when the bytes are on the disk. The segment's readable part does not grow by that: the caller says
   * what was kept. @throws Error when they are not; then none of them count.
   */
  commit(frames: Buffer): Promise<void>;
  /** Tries whether so many bytes can be written and synced, and leaves none of them. @throws Error as commit does. */
  probe(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
}

/** Makes a segment file, on the disk with its name when this resolves. @throws Error when it can't be made. */
export async function createSegment(
  files: FileLayer,
  dir: string,
  header: SegmentHeader,
): Promise<SegmentWriter> {
  const path = join(dir, segmentName(header.firstSequence));
  const file = await files.open(path, "create");
  try {
    await writeFully(file, encodeSegmentHeader(header), 0);
    await file.datasync();
    await files.syncDirectory(dir);
  } catch (error) {
    await file.close().catch(() => {}); // The first error says more.
    throw error;
  }
  return createSegmentWriter(file, {
    path,
    firstSequence: header.firstSequence,
    endSequence: header.firstSequence,
    readableBytes: segmentHeaderBytes,
    sizeBytes: segmentHeaderBytes,
    firstReceivedAt: undefined,
    damagedRanges: [],
  });
}

function createSegmentWriter(file: OutboxFile, segment: Segment): SegmentWriter {
  let isTrusted = true;

  /**
   * Cuts off what a failed write left, so that the next one begins where this one did. Where that fails too, and
   * after a failed sync, nothing more is appended: Linux may have marked the pages that it could not write as clean,
   * and a later sync would succeed without them.
   */
  async function takeBack(isSyncFailed: boolean): Promise<void> {
    if (isSyncFailed) isTrusted = false;
    try {
      await file.truncate(segment.readableBytes);
      segment.sizeBytes = segment.readableBytes;
    } catch {
      // The error that led here is reported; the next segment's header says that these bytes don't count.
      isTrusted = false;
      segment.sizeBytes = await file.size().catch(() => segment.sizeBytes);
    }
  }

  async function commit(frames: Buffer): Promise<void> {
    let isWritten = false;
    try {
      await writeFully(file, frames, segment.readableBytes);
      isWritten = true;
      await file.datasync();
    } catch (error) {
      await takeBack(isWritten);
      throw new Error(`cannot ${isWritten ? "sync" : "write to"} ${segment.path}: ${errorText(error)}`, {
        cause: error,
      });
    }
  }

  return {
    segment,
    get isTrusted() {
      return isTrusted;
    },
    commit,
    async probe(sizeBytes) {
      await commit(Buffer.alloc(sizeBytes));
      await takeBack(false);
      if (!isTrusted) throw new Error(`cannot cut ${segment.path}`);
    },
    close: () => file.close(),
  };
}
