import { join } from "node:path";
import { errorText, type FileLayer, type OutboxFile, writeFully } from "./file-layer.ts";
import { encodeSegmentHeader, type SegmentHeader, segmentHeaderBytes, segmentName } from "./format.ts";
import type { Segment } from "./segment.ts";

/** Writes to one segment file. One call at a time. */
export interface SegmentWriter {
  readonly segment: Segment;
  /** False once it is not known which of the written bytes are on the disk. Nothing may be appended then. */
  readonly isTrusted: boolean;
  /** Whether the segment's name still belongs to this file. */
  isInPlace(): Promise<boolean>;
  /**
   * Resolves when the bytes are on the disk. The caller then makes them readable (`ActiveSegment.publish`).
   * @throws Error if they are not; then none of them count.
   */
  commit(frames: Buffer): Promise<void>;
  /** Writes and syncs this many bytes, and cuts them off again. @throws Error if that is not possible. */
  probe(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
}

export interface NewSegment {
  readonly files: FileLayer;
  readonly dir: string;
  readonly header: SegmentHeader;
  /** Called after each call to the disk that succeeded. */
  readonly onProgress: () => void;
}

/** Creates a segment file. Its name and header are on the disk when this resolves. @throws Error if that fails. */
export async function createSegment(options: NewSegment): Promise<SegmentWriter> {
  const { files, dir, header, onProgress } = options;
  const path = join(dir, segmentName(header.firstSequence));
  const file = await files.open(path, "create");
  let identity: string | undefined;
  try {
    onProgress();
    await writeFully(file, encodeSegmentHeader(header), 0);
    onProgress();
    await file.datasync();
    onProgress();
    await files.syncDirectory(dir);
    identity = await file.identify();
    // Some file systems, such as those of FUSE, give a file a new number now and then. There the name says nothing.
    if ((await files.identify(path)) !== identity) identity = undefined;
  } catch (error) {
    await file.close().catch(() => {}); // The first error is the cause.
    throw error;
  }
  const segment: Segment = {
    path,
    firstSequence: header.firstSequence,
    endSequence: header.firstSequence,
    readableBytes: segmentHeaderBytes,
    sizeBytes: segmentHeaderBytes,
    firstReceivedAt: undefined,
    damagedRanges: [],
  };
  const isInPlace = async () => identity === undefined || (await files.identify(path)) === identity;
  return createSegmentWriter(file, segment, { isInPlace, onProgress });
}

function createSegmentWriter(
  file: OutboxFile,
  segment: Segment,
  { isInPlace, onProgress }: Pick<SegmentWriter, "isInPlace"> & Pick<NewSegment, "onProgress">,
): SegmentWriter {
  let isTrusted = true;

  /**
   * Cuts off what a failed write left, so that the next write begins at the same offset. If that fails too, and always
   * after a failed sync, the segment is no longer trusted: Linux may have marked the pages that it could not write as
   * clean, and a later sync would succeed without them.
   */
  async function cutBack(isSyncFailed: boolean): Promise<void> {
    if (isSyncFailed) isTrusted = false;
    try {
      await file.truncate(segment.readableBytes);
      segment.sizeBytes = segment.readableBytes;
    } catch {
      // The caller reports the first error. The next segment's header says that these bytes do not count.
      isTrusted = false;
      segment.sizeBytes = await file.size().catch(() => segment.sizeBytes);
    }
  }

  async function commit(frames: Buffer): Promise<void> {
    let isWritten = false;
    try {
      await writeFully(file, frames, segment.readableBytes);
      isWritten = true;
      onProgress();
      await file.datasync();
    } catch (error) {
      await cutBack(isWritten);
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
    isInPlace,
    commit,
    async probe(sizeBytes) {
      await commit(Buffer.alloc(sizeBytes));
      await cutBack(false);
      if (!isTrusted) throw new Error(`cannot truncate ${segment.path}`);
    },
    close: () => file.close(),
  };
}
