import {
  frameHeaderBytes,
  hasIntactPayload,
  isWithin,
  type Region,
  regionAt,
  tryParseFrameHeader,
} from "./format.ts";
import type { Segment } from "./segment.ts";
import type { SegmentSource } from "./segment-source.ts";

/** The size of one read. A larger frame is read whole. */
const windowBytes = 256 * 1024;

/** A region of a segment, and bytes that contain it: it begins at `region.start - bytesStart` in them. */
export interface FoundRegion {
  readonly region: Region;
  readonly bytes: Buffer;
  readonly bytesStart: number;
}

/** Reads the synced part of segments through a window, so that memory does not grow with the number of pending events. */
export class FrameWindow {
  readonly #source: Pick<SegmentSource, "read" | "close">;
  #segment: Segment | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #bytesStart = 0;

  constructor(source: Pick<SegmentSource, "read" | "close">) {
    this.#source = source;
  }

  /** The region at `offset`; undefined at the end of the synced part. @throws Error if the disk cannot be read. */
  async regionAt(segment: Segment, offset: number): Promise<FoundRegion | undefined> {
    const limit = segment.readableBytes;
    if (offset >= limit) return undefined;
    if (!this.#holds(segment, offset, Math.min(frameHeaderBytes, limit - offset)))
      await this.#fetch(segment, offset, Math.min(windowBytes, limit - offset));
    const header = tryParseFrameHeader(this.#bytes, offset - this.#bytesStart);
    const end = offset + frameHeaderBytes + (header?.payloadBytes ?? 0);
    if (header && isWithin(segment, header) && end <= limit) {
      if (!this.#holds(segment, offset, end - offset))
        await this.#fetch(segment, offset, Math.min(Math.max(end - offset, windowBytes), limit - offset));
      if (hasIntactPayload(this.#bytes, offset - this.#bytesStart, header))
        return this.#found({ kind: "frame", start: offset, end, header });
    }
    // Rare: the rest of the segment is searched for the next frame.
    await this.#fetch(segment, offset, limit - offset);
    const damaged = regionAt(this.#bytes, 0, segment);
    return damaged && this.#found({ ...damaged, start: offset, end: offset + damaged.end });
  }

  /** Closes the file if it is not one of these segments': a removed file that is open takes up room on the disk. */
  async closeUnlessIn(segments: readonly Segment[]): Promise<void> {
    if (!this.#segment || !segments.includes(this.#segment)) await this.close();
  }

  async close(): Promise<void> {
    this.#segment = undefined;
    this.#bytes = Buffer.alloc(0);
    await this.#source.close();
  }

  /** Moves the window. */
  async #fetch(segment: Segment, offset: number, length: number): Promise<void> {
    this.#segment = undefined;
    this.#bytes = await this.#source.read(segment, offset, length);
    this.#bytesStart = offset;
    this.#segment = segment;
  }

  #holds(segment: Segment, offset: number, length: number): boolean {
    if (this.#segment !== segment) return false;
    return offset >= this.#bytesStart && offset + length <= this.#bytesStart + this.#bytes.length;
  }

  #found(region: Region): FoundRegion {
    return { region, bytes: this.#bytes, bytesStart: this.#bytesStart };
  }
}
