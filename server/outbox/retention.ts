import type { Log } from "../telemetry/log.ts";
import { errorText, type FileLayer, isMissing } from "./file-layer.ts";
import { segmentHeaderBytes } from "./format.ts";
import type { OutboxCursor } from "./reader.ts";
import { eventsFrom, type Segment } from "./segment.ts";
import { maxSegmentFileBytes } from "./segment-scan.ts";

/** From this share of the limit on, `problem` reports it, so that load balancers send batches elsewhere in time. */
const nearlyFullShare = 0.95;
/** The pause before another attempt to remove a file. */
const retryAfterMs = 30_000;
const maxFrameBytes = maxSegmentFileBytes - segmentHeaderBytes;

export interface RetentionOptions {
  readonly dir: string;
  readonly files: FileLayer;
  readonly log: Log;
  readonly maxBytes: number;
  /** What the disk has room for. More is refused, and never dropped: the disk may be full for other reasons. */
  readonly capacityBytes: () => number;
  readonly onFull: "reject" | "drop_oldest";
  /** In order. Retention removes segments from it, and the active segment adds to it. */
  readonly segments: Segment[];
  readonly cursors: () => readonly Pick<OutboxCursor, "position" | "dropBefore" | "closeRemoved">[];
  /** Starts a new segment, because the newest one is never removed. @returns why it could not */
  readonly startSegment: () => Promise<string | undefined>;
}

/** Bounds the size of the outbox: removes delivered segments, and refuses batches or drops the oldest events if it is full. */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #segments: Segment[];
  /** The removals of files, one after the other. */
  #removing: Promise<void> = Promise.resolve();
  /** Files of removed segments that could not be removed. */
  readonly #undeleted = new Set<string>();
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  /** Whether the log says that batches are refused. */
  #isFullLogged = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#segments = options.segments;
  }

  get sizeBytes(): number {
    let size = 0;
    for (const segment of this.#segments) size += segment.sizeBytes;
    return size;
  }

  /** `maxBytes`, or what the disk has room for if that is less. */
  get limitBytes(): number {
    return Math.floor(Math.min(this.#options.maxBytes, this.#options.capacityBytes()));
  }

  /** Why batches are refused or soon will be; undefined if there is room, or if the oldest events make room. */
  problem(): string | undefined {
    const { maxBytes, onFull, capacityBytes } = this.#options;
    const size = this.sizeBytes;
    const atDisk = shareOf(size, capacityBytes());
    if (atDisk !== undefined) return `outbox: the disk is ${atDisk}`;
    const atLimit = onFull === "reject" ? shareOf(size, maxBytes) : undefined;
    return atLimit && `outbox ${atLimit}`;
  }

  /** Whether room is short, and the newest segment, which is never removed, holds only delivered events. */
  get isHeldByDelivered(): boolean {
    if (!this.isNewestDelivered) return false;
    return this.sizeBytes >= this.limitBytes * nearlyFullShare;
  }

  /** Whether every output has passed the newest segment, and it is not empty: it can go once there is a newer one. */
  get isNewestDelivered(): boolean {
    const newest = this.#segments.at(-1);
    return (
      newest !== undefined && newest.firstSequence < newest.endSequence && this.#reached >= newest.endSequence
    );
  }

  /**
   * Makes room for a batch, by removing the oldest segments if `onFull` is "drop_oldest".
   * @param neededBytes the bytes of all frames that are to be written, this one and a new segment's header included
   * @param frameBytes the bytes of this batch's frame
   * @returns why there is no room; undefined if there is
   */
  async makeRoom(neededBytes: number, frameBytes: number): Promise<string | undefined> {
    const { maxBytes, onFull, startSegment } = this.#options;
    if (frameBytes > maxFrameBytes || frameBytes + 2 * segmentHeaderBytes > maxBytes)
      return "batch larger than the outbox";
    while (this.sizeBytes + neededBytes > this.limitBytes) {
      if (this.isNewestDelivered) {
        const failure = await startSegment();
        if (failure !== undefined) return failure;
        await this.#removing;
        continue;
      }
      if (this.sizeBytes + neededBytes <= maxBytes) return this.#refuse("disk");
      if (onFull === "reject") return this.#refuse("max_bytes");
      const failure = this.#segments.length < 2 ? await startSegment() : undefined;
      if (failure !== undefined) return failure;
      const [oldest, second] = this.#segments;
      // Only frames that are not written yet are left: no segment can make room for them.
      if (!oldest || !second) return "outbox full";
      this.#dropOldest(oldest, second);
      await this.#removing;
    }
    return undefined;
  }

  /** Removes the segments that every output has passed. Resolves when their files are removed. */
  removeDelivered(): Promise<void> {
    const reached = this.#reached;
    this.remove(this.#segments.slice(0, -1).filter(({ endSequence }) => endSequence <= reached));
    return this.#removing;
  }

  /** Takes segments off the list in this turn, and then removes their files. */
  remove(gone: readonly Segment[]): void {
    if (gone.length === 0) return;
    for (const segment of gone) this.#segments.splice(this.#segments.indexOf(segment), 1);
    this.#removing = this.#removing.then(() => this.#removeFiles(gone));
    for (const cursor of this.#options.cursors()) cursor.closeRemoved();
    this.noteRoom();
  }

  /** Logs once that there is room again. */
  noteRoom(): void {
    const { log, maxBytes, capacityBytes } = this.#options;
    if (!this.#isFullLogged || this.sizeBytes >= Math.min(maxBytes, capacityBytes()) * nearlyFullShare)
      return;
    this.#isFullLogged = false;
    log.info("outbox has room again; batches are accepted");
  }

  /** No file is removed any more once the removals that are under way have ended. The next start removes what is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    await this.#removing;
  }

  /** Resolves when the files of all removed segments are removed. */
  async settled(): Promise<void> {
    await this.#removing;
  }

  /** The position of the slowest output; 0 without an output, so that nothing counts as delivered. */
  get #reached(): number {
    const positions = this.#options.cursors().map(({ position }) => position);
    return positions.length === 0 ? 0 : Math.min(...positions);
  }

  /** Refuses a batch because `maxBytes` is reached, or the room on the disk. @returns the reason */
  #refuse(limit: "max_bytes" | "disk"): string {
    const { log, maxBytes, capacityBytes } = this.#options;
    const isFirst = !this.#isFullLogged;
    this.#isFullLogged = true;
    const size = { size_bytes: this.sizeBytes };
    if (limit === "max_bytes") {
      if (isFirst)
        log.error("outbox full; batches are refused until events are delivered", {
          ...size,
          max_bytes: maxBytes,
        });
      return "outbox full";
    }
    if (isFirst)
      log.error("the disk is full; batches are refused until events are delivered or there is room", {
        ...size,
        disk_has_room_for_bytes: Math.floor(capacityBytes()),
      });
    return "outbox: the disk is full";
  }

  #dropOldest(oldest: Segment, second: Segment): void {
    // In one turn: the cursors count the events of the segment as dropped, and it leaves the list.
    for (const cursor of this.#options.cursors()) cursor.dropBefore(second.firstSequence, second);
    this.#options.log.warn("outbox full; its oldest segment is removed, delivered or not", {
      segment: oldest.path,
      events: eventsFrom(oldest, 0),
    });
    this.remove([oldest]);
  }

  async #removeFiles(gone: readonly Segment[]): Promise<void> {
    const { dir, files, log } = this.#options;
    for (const { path } of gone) this.#undeleted.add(path);
    for (const path of this.#undeleted)
      try {
        // Never a segment that is in use, whatever its name is.
        if (this.#segments.some((segment) => segment.path === path)) continue;
        await files.remove(path);
        this.#undeleted.delete(path);
      } catch (error) {
        // Somebody else removed it.
        if (isMissing(error)) this.#undeleted.delete(path);
        else if (gone.some((segment) => segment.path === path))
          log.warn("cannot remove a segment; another attempt follows", { path, error: errorText(error) });
      }
    // If this fails, the segment may be there again after a crash. It lies before every cursor then and is removed again.
    await files.syncDirectory(dir).catch(() => {});
    this.#scheduleRetry();
  }

  #scheduleRetry(): void {
    clearTimeout(this.#retryTimer);
    if (this.#undeleted.size === 0 || this.#isClosed) return;
    this.#retryTimer = setTimeout(() => {
      this.#removing = this.#removing.then(() => this.#removeFiles([]));
    }, retryAfterMs);
    this.#retryTimer.unref();
  }
}

function shareOf(size: number, limit: number): "full" | "nearly full" | undefined {
  if (size + segmentHeaderBytes >= limit) return "full";
  return size >= limit * nearlyFullShare ? "nearly full" : undefined;
}
