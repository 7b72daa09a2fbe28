import { type FileLayer, type OutboxFile, readFully } from "./file-layer.ts";
import { frameHeaderBytes, hasIntactPayload, type Region, regionAt, tryParseFrameHeader } from "./format.ts";
import type { Segment } from "./segment.ts";

/** The size of one read. A larger frame is read whole. */
const windowBytes = 256 * 1024;

/** A region of a segment, and bytes that contain it: it begins at `region.start - bytesStart` in them. */
export interface FoundRegion {
  readonly region: Region;
  readonly bytes: Buffer;
  readonly bytesStart: number;
}

/** Reads the synced part of segments through a window, so that memory does not grow with the number of pending events. */
export interface FrameWindow {
  /** The region at `offset`; undefined at the end of the synced part. @throws Error if the disk cannot be read. */
  regionAt(segment: Segment, offset: number): Promise<FoundRegion | undefined>;
  /** Closes the file if it is not one of these segments': a removed file that is open takes up room on the disk. */
  closeUnlessIn(segments: readonly Segment[]): Promise<void>;
  close(): Promise<void>;
}

export function createFrameWindow(files: FileLayer): FrameWindow {
  let open: { readonly path: string; readonly file: OutboxFile } | undefined;
  let bytes: Buffer = Buffer.alloc(0);
  let bytesStart = 0;

  async function openSegment(path: string): Promise<OutboxFile> {
    if (open?.path === path) return open.file;
    await close();
    const file = await files.open(path, "read");
    open = { path, file };
    return file;
  }

  /** Moves the window to `offset`, and makes it contain `length` bytes if the segment has that many. */
  async function fetch(segment: Segment, offset: number, length: number): Promise<void> {
    const file = await openSegment(segment.path);
    const wanted = Math.min(Math.max(length, windowBytes), segment.readableBytes - offset);
    // A new buffer each time: documents that were handed out share the memory of the old one.
    const target = Buffer.allocUnsafeSlow(wanted);
    const count = await readFully(file, target, offset);
    // The missing end of a file that somebody truncated becomes zeros, which are not a frame.
    target.fill(0, count);
    bytes = target;
    bytesStart = offset;
  }

  function holds(segment: Segment, offset: number, length: number): boolean {
    if (open?.path !== segment.path) return false;
    return offset >= bytesStart && offset + length <= bytesStart + bytes.length;
  }

  async function close(): Promise<void> {
    const file = open?.file;
    open = undefined;
    bytes = Buffer.alloc(0);
    await file?.close();
  }

  return {
    async regionAt(segment, offset) {
      const limit = segment.readableBytes;
      if (offset >= limit) return undefined;
      if (!holds(segment, offset, Math.min(frameHeaderBytes, limit - offset)))
        await fetch(segment, offset, 0);
      const header = tryParseFrameHeader(bytes, offset - bytesStart);
      if (header) {
        const end = offset + frameHeaderBytes + header.payloadBytes;
        if (end <= limit) {
          if (!holds(segment, offset, end - offset)) await fetch(segment, offset, end - offset);
          if (hasIntactPayload(bytes, offset - bytesStart, header))
            return { region: { kind: "frame", start: offset, end, header }, bytes, bytesStart };
        }
      }
      // Rare: the rest of the segment is searched for the next frame.
      await fetch(segment, offset, limit - offset);
      const damaged = regionAt(bytes, 0, 0);
      if (!damaged) return undefined;
      const { kind, end } = damaged;
      if (kind === "frame")
        return { region: { ...damaged, start: offset, end: offset + end }, bytes, bytesStart };
      return { region: { kind, start: offset, end: offset + end }, bytes, bytesStart };
    },
    async closeUnlessIn(segments) {
      if (!segments.some(({ path }) => path === open?.path)) await close();
    },
    close,
  };
}
