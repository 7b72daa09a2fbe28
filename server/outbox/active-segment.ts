import type { FileLayer } from "./file-layer.ts";
import { segmentHeaderBytes } from "./format.ts";
import type { Retention } from "./retention.ts";
import type { Segment } from "./segment.ts";
import { createSegment, type SegmentWriter } from "./segment-writer.ts";

export interface ActiveSegmentOptions {
  readonly dir: string;
  readonly files: FileLayer;
  readonly now: () => number;
  readonly outboxId: string;
  readonly segmentBytes: number;
  /** In order. A new segment is added at its end. */
  readonly segments: Segment[];
  readonly retention: Pick<Retention, "remove" | "removeDelivered">;
  /** Called after each call to the disk that succeeded. */
  readonly onProgress: () => void;
  /** The sequence number of the next event. */
  readonly nextSequence: number;
  /** One past the last event that was kept. */
  readonly keptEnd: number;
}

/** What is known of a frame when it becomes readable. */
interface PublishedFrame {
  readonly eventCount: number;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

/** The segment that is appended to, and the sequence numbers that events get in it. One call at a time. */
export class ActiveSegment {
  readonly #options: ActiveSegmentOptions;
  #writer: SegmentWriter | undefined;
  /** The writer whose file lost its name, so that nothing may be appended to it. */
  #goneWriter: SegmentWriter | undefined;
  #nextSequence: number;
  #keptEnd: number;
  #segmentBytes: number;

  constructor(options: ActiveSegmentOptions) {
    this.#options = options;
    this.#nextSequence = options.nextSequence;
    this.#keptEnd = options.keptEnd;
    this.#segmentBytes = options.segmentBytes;
  }

  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** The writer for frames of this size: a new segment's if they do not fit. @throws Error if it cannot be created. */
  async writerFor(frameBytes: number): Promise<SegmentWriter> {
    const used = this.#writer?.segment.readableBytes ?? 0;
    const isEmpty = used === segmentHeaderBytes;
    if (
      this.#writer &&
      this.#writer !== this.#goneWriter &&
      (isEmpty || used + frameBytes <= this.#segmentBytes)
    )
      return this.#writer;
    return this.roll();
  }

  /** The writer as it is, or that of a new segment if there is none. @throws Error if it cannot be created. */
  async writer(): Promise<SegmentWriter> {
    return this.#writer && this.#writer !== this.#goneWriter ? this.#writer : this.roll();
  }

  /** Whether the active segment's name still belongs to the file that is appended to. May be called at any time. */
  async isInPlace(): Promise<boolean> {
    const writer = this.#writer;
    if (!writer || writer === this.#goneWriter) return false;
    const isInPlace = await writer.isInPlace();
    // Another segment may have become the active one, and this one may have been removed because it was delivered.
    return isInPlace || writer !== this.#writer;
  }

  /**
   * The active segment's file lost its name: a new segment is started before the next write.
   * @returns the name, if it was not noted before
   */
  noteGone(): string | undefined {
    if (!this.#writer || this.#writer === this.#goneWriter) return undefined;
    this.#goneWriter = this.#writer;
    return this.#writer.segment.path;
  }

  /**
   * Starts a new segment, unless the active one is empty. @throws Error if it cannot be created.
   * The old segment is not appended to again even then: the header of the new one may be on the disk after all, and it
   * says that nothing was kept past this point.
   */
  async roll(): Promise<SegmentWriter> {
    const active = this.#writer;
    if (active && active !== this.#goneWriter && active.segment.firstSequence === this.#nextSequence)
      return active;
    await this.close();
    const { dir, files, now, outboxId, segments, retention, onProgress } = this.#options;
    const header = {
      outboxId,
      firstSequence: this.#nextSequence,
      keptEnd: this.#keptEnd,
      createdAt: now(),
    };
    const created = await createSegment({ files, dir, header, onProgress });
    const empty = segments.filter(
      ({ firstSequence, endSequence }) => firstSequence === endSequence && firstSequence < this.#nextSequence,
    );
    // An empty segment whose file was lost has the same name.
    const replaced = segments.findIndex(({ path }) => path === created.segment.path);
    if (replaced !== -1) segments.splice(replaced, 1);
    segments.push(created.segment);
    this.#writer = created;
    retention.remove(empty);
    void retention.removeDelivered();
    return created;
  }

  /**
   * The file may not become larger than it is: later segments are started at its size.
   * @returns false if it holds nothing, so that a new segment would not help
   */
  limitSize(): boolean {
    const used = this.#writer?.segment.readableBytes ?? 0;
    if (used <= segmentHeaderBytes) return false;
    this.#segmentBytes = Math.min(this.#segmentBytes, used);
    return true;
  }

  /** Whether the active segment has reached the size at which a new one is started. */
  get isFull(): boolean {
    return this.#writer !== undefined && this.#writer.segment.readableBytes >= this.#segmentBytes;
  }

  /** Makes frames that were synced to the segment readable: all of them at once, in this turn. */
  publish(segment: Segment, frames: readonly PublishedFrame[], sizeBytes: number): void {
    for (const { eventCount } of frames) this.#nextSequence += eventCount;
    this.#keptEnd = this.#nextSequence;
    segment.readableBytes += sizeBytes;
    segment.sizeBytes = segment.readableBytes;
    segment.firstReceivedAt ??= frames[0]?.receivedAt;
    segment.endSequence = this.#nextSequence;
  }

  /**
   * After a failed write: if nobody knows what of it is on the disk, the segment is not appended to again, and the
   * sequence numbers in it are not used again.
   */
  async abandonIfUntrusted(usedNumbers: number): Promise<void> {
    if (!this.#writer || this.#writer.isTrusted) return;
    this.#nextSequence += usedNumbers;
    await this.close();
  }

  async close(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    // All that counts in it is synced already, so an error of `close` changes nothing.
    await writer?.close().catch(() => {});
  }
}
