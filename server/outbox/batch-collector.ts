import type { BatchBounds, StoredBatch, StoredEvent } from "../pipeline.ts";
import { type FrameRegion, frameDocuments, segmentHeaderBytes } from "./format.ts";
import { type FoundRegion, FrameWindow } from "./frame-window.ts";
import type { Segment } from "./segment.ts";
import { SegmentSource, type SegmentSourceOptions } from "./segment-source.ts";

/** Where a frame, or a damaged region, begins. */
export interface FrameLocation {
  readonly segment: Segment;
  /** In bytes from the beginning of the segment's file. */
  readonly offset: number;
}

export interface CollectedBatch {
  readonly batch: StoredBatch;
  /** The frame with the event after the batch, or the end of the last frame that was read. */
  readonly locationAfter: FrameLocation;
}

/** Damaged bytes of a segment. */
export interface FoundDamage {
  readonly segment: Segment;
  readonly offset: number;
  readonly bytes: Buffer;
}

export interface BatchCollectorOptions extends Omit<SegmentSourceOptions, "onUnreadable"> {
  /** In order. The outbox adds and removes segments while the collector reads. */
  readonly segments: readonly Segment[];
  readonly onDamagedBytes: (damage: FoundDamage) => void;
}

interface CollectorRange {
  readonly first: number;
  readonly end: number;
  /** undefined: everything up to `end`. */
  readonly bounds: BatchBounds | undefined;
}

/**
 * Reads batches for one output from the segments, and remembers where to continue. One call at a time: the caller runs
 * them one after the other. Segments may be removed while a call reads; its result is out of date then, which the caller
 * detects (`OutputPosition.drops`).
 */
export class BatchCollector {
  readonly #segments: readonly Segment[];
  readonly #onDamagedBytes: BatchCollectorOptions["onDamagedBytes"];
  /** Why a segment cannot be read completely. Without a reason its bytes are damaged. */
  readonly #reasons = new WeakMap<Segment, string>();
  readonly #window: FrameWindow;
  #location: FrameLocation | undefined;

  constructor(options: BatchCollectorOptions) {
    this.#segments = options.segments;
    this.#onDamagedBytes = options.onDamagedBytes;
    const onUnreadable = (segment: Segment, reason: string) => void this.#reasons.set(segment, reason);
    this.#window = new FrameWindow(new SegmentSource({ ...options, onUnreadable }));
  }

  /**
   * Reads the events from `first` up to `end`, as many as the bounds allow, but at least one.
   * @returns undefined if none of them can be read
   * @throws Error if the disk cannot be read
   */
  async collect(range: CollectorRange): Promise<CollectedBatch | undefined> {
    const batch = new PartialBatch(range);
    let location = await this.#find(range.first);
    while (location) {
      const { segment, offset } = location;
      const found = await this.#window.regionAt(segment, offset);
      if (!found) {
        const following = this.#segments[this.#segments.indexOf(segment) + 1];
        if (!following || following.firstSequence >= range.end) break;
        location = { segment: following, offset: segmentHeaderBytes };
        continue;
      }
      const { region } = found;
      if (region.kind === "damaged") this.#reportBytes(segment, found);
      else if (!batch.addFrame(region, found)) break;
      location = { segment, offset: region.end };
    }
    return location && batch.finish(location);
  }

  /**
   * When the oldest event from `first` on was received, in milliseconds since the epoch. It reads the frame that the
   * next `collect` reads too. @returns undefined if there is none, or if the disk cannot be read
   */
  async receivedAtFrom(first: number, known?: FrameLocation): Promise<number | undefined> {
    try {
      const location = known ?? (await this.#find(first));
      const found = location && (await this.#window.regionAt(location.segment, location.offset));
      if (found?.region.kind === "frame") return found.region.header.receivedAt;
      return this.#segments.find(({ firstSequence }) => firstSequence >= first)?.firstReceivedAt;
    } catch {
      // This time is only shown to people. The next `collect` throws the error.
      return undefined;
    }
  }

  /** Makes the next `collect` begin at this location; undefined: it searches for its first event. */
  continueAt(location: FrameLocation | undefined): void {
    this.#location = location;
  }

  /** Why events of the segment cannot be read. */
  damageReason(segment: Segment): string {
    return this.#reasons.get(segment) ?? "damaged bytes";
  }

  /** The bytes of a segment that are not read yet, as far as its frames are known. */
  unreadBytes(segment: Segment): number {
    const readTo = this.#location?.segment === segment ? this.#location.offset : segmentHeaderBytes;
    return segment.readableBytes - readTo;
  }

  /** Closes the file of a segment that was removed, so that its room on the disk is free. */
  closeRemoved(): Promise<void> {
    return this.#window.closeUnlessIn(this.#segments);
  }

  close(): Promise<void> {
    return this.#window.close();
  }

  /** The frame with the event `first`, or else the first frame or damaged region after it. */
  async #find(first: number): Promise<FrameLocation | undefined> {
    // A location whose segment was removed lies behind every position.
    if (this.#location && this.#segments.includes(this.#location.segment)) return this.#location;
    const segment = this.#segments.find(({ endSequence }) => endSequence > first) ?? this.#segments.at(-1);
    if (!segment) return undefined;
    let offset = segmentHeaderBytes;
    for (;;) {
      const found = await this.#window.regionAt(segment, offset);
      if (found?.region.kind !== "frame") break;
      const { header, end } = found.region;
      if (header.firstSequence + header.eventCount > first) break;
      offset = end;
    }
    this.#location = { segment, offset };
    return this.#location;
  }

  #reportBytes(segment: Segment, { region, bytes, bytesStart }: FoundRegion): void {
    const damaged = bytes.subarray(region.start - bytesStart, region.end - bytesStart);
    // Bytes that could not be read are zeros, of which there is nothing to see.
    if (damaged.every((byte) => byte === 0)) return;
    this.#onDamagedBytes({ segment, offset: region.start, bytes: damaged });
  }
}

/** A batch that grows frame by frame until its bounds or its last event are reached. */
class PartialBatch {
  readonly #range: CollectorRange;
  readonly #events: StoredEvent[] = [];
  #bytes = 0;
  /** The sequence number that comes next if nothing is damaged. */
  #nextSequence: number;

  constructor(range: CollectorRange) {
    this.#range = range;
    this.#nextSequence = range.first;
  }

  /** @returns whether the whole frame fits; if not, the event after the batch lies in this frame */
  addFrame({ start, header }: FrameRegion, { bytes, bytesStart }: FoundRegion): boolean {
    const { sensorId, documents } = frameDocuments(bytes, start - bytesStart, header);
    for (const [index, document] of documents.entries()) {
      const sequence = header.firstSequence + index;
      if (sequence < this.#nextSequence) continue;
      if (sequence >= this.#range.end || this.#isFullFor(document)) return false;
      this.#events.push({ sequence, sensorId, receivedAt: header.receivedAt, document });
      this.#bytes += document.length;
    }
    this.#nextSequence = Math.max(this.#nextSequence, header.firstSequence + header.eventCount);
    return true;
  }

  finish(locationAfter: FrameLocation): CollectedBatch | undefined {
    const first = this.#events[0];
    const last = this.#events.at(-1);
    if (!first || !last) return undefined;
    return {
      batch: { firstSequence: first.sequence, lastSequence: last.sequence, events: this.#events },
      locationAfter,
    };
  }

  #isFullFor(document: Buffer): boolean {
    const { bounds } = this.#range;
    if (bounds === undefined || this.#events.length === 0) return false;
    return this.#events.length >= bounds.maxEvents || this.#bytes + document.length > bounds.maxBytes;
  }
}
