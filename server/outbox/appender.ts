import { isFileTooLarge, isOutOfSpace } from "../disk-errors.ts";
import { CannotKeep, type EnrichedBatch } from "../pipeline.ts";
import { ActiveSegment, type ActiveSegmentOptions } from "./active-segment.ts";
import { DirectoryWatch } from "./directory-watch.ts";
import { DiskHealth } from "./disk-health.ts";
import { frameBytes, segmentHeaderBytes, writeFrame } from "./format.ts";
import type { OutboxCursor } from "./reader.ts";
import type { Reserve } from "./reserve.ts";
import { Retention, type RetentionOptions } from "./retention.ts";
import type { Segment } from "./segment.ts";
import type { SegmentWriter } from "./segment-writer.ts";
import { StallWatch } from "./stall-watch.ts";

export interface AppenderOptions
  extends Omit<RetentionOptions, "startSegment">,
    Omit<ActiveSegmentOptions, "retention" | "onProgress"> {
  readonly cursors: () => readonly OutboxCursor[];
  readonly reserve: Pick<Reserve, "release">;
}

export interface AppenderCounts {
  readonly sizeBytes: number;
  /** `max_bytes`, or what the disk has room for if that is less. */
  readonly maxBytes: number;
  /** Since the start. Counted in the turn in which the events become pending for the outputs. */
  readonly appendedEvents: number;
  readonly syncs: number;
  readonly failedSyncs: number;
}

/** One write and one sync take this many bytes at most, unless a single batch is larger. */
const maxGroupBytes = 4 * 1024 * 1024;
/** What a probe writes, syncs and cuts off again. */
const probeBytes = 64 * 1024;

interface QueuedBatch {
  readonly sensorId: Buffer;
  readonly lines: Buffer;
  readonly eventCount: number;
  readonly receivedAt: number;
  readonly frameBytes: number;
  resolve(): void;
  reject(error: CannotKeep): void;
}

/**
 * The writing half of the outbox. Batches that arrive while the disk is busy form a group, which is written and synced at
 * once (group commit). At most one commit or probe runs at a time.
 */
export class Appender {
  readonly #options: AppenderOptions;
  readonly #groupLimitBytes: number;
  readonly #retention: Retention;
  readonly #active: ActiveSegment;
  readonly #disk: DiskHealth;
  readonly #stall: StallWatch;
  readonly #directory: DirectoryWatch;
  readonly #queue: QueuedBatch[] = [];
  /** The commits or the probe that are under way. */
  #running: Promise<void> | undefined;
  #isClosed = false;
  #appendedEvents = 0;
  #syncs = 0;
  #failedSyncs = 0;

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#groupLimitBytes = Math.min(maxGroupBytes, options.segmentBytes);
    this.#retention = new Retention({ ...options, startSegment: () => this.#startSegment() });
    this.#stall = new StallWatch({ log: options.log, onStalled: (reason) => this.#refuseQueue(reason) });
    this.#active = new ActiveSegment({
      ...options,
      retention: this.#retention,
      onProgress: () => this.#stall.progress(),
    });
    this.#disk = new DiskHealth({ log: options.log, startProbe: () => this.#startProbe() });
    this.#directory = new DirectoryWatch({
      ...options,
      isActiveInPlace: () => this.#active.isInPlace(),
      onProblem: (problem) => this.#refuseQueue(problem),
      onSegmentGone: () => this.#replaceGoneSegment(),
    });
  }

  /** Creates the first segment of this run. @returns its path; undefined if the disk does not allow it now */
  async start(): Promise<string | undefined> {
    await this.#directory.start();
    try {
      return (await this.#roll()).segment.path;
    } catch (error) {
      this.#disk.failed(error);
      return undefined;
    }
  }

  /** Resolves when the batch is synced to disk. @throws CannotKeep if it is not, and will not be delivered. */
  append(batch: EnrichedBatch): Promise<void> {
    const refusal = this.#isClosed ? "shutting down" : this.#unusable;
    if (refusal !== undefined) return Promise.reject(new CannotKeep(refusal));
    if (batch.eventCount === 0) return Promise.resolve();
    const { lines, eventCount } = batch;
    const sensorId = Buffer.from(batch.sensorId);
    const receivedAt = this.#options.now();
    return new Promise((resolve, reject) => {
      const size = frameBytes(sensorId, lines);
      this.#queue.push({ sensorId, lines, eventCount, receivedAt, frameBytes: size, resolve, reject });
      this.#run();
    });
  }

  /** Why batches cannot be kept, or soon cannot; undefined if they can. */
  problem(): string | undefined {
    if (this.#isClosed) return "shutting down";
    return this.#unusable ?? this.#disk.failure ?? this.#retention.problem();
  }

  /** Why nothing may be written; undefined if a write may be tried. */
  get #unusable(): string | undefined {
    return this.#directory.problem ?? this.#stall.problem;
  }

  /** The room on the disk was examined: if room is short and only delivered events take it up, lets them go. */
  noteSpace(): void {
    this.#retention.noteRoom();
    if (this.#isClosed || !this.#retention.isHeldByDelivered) return;
    this.#runAlone(async () => void (await this.#startSegment()));
  }

  /** Removes the segments that every output has passed. */
  removeDelivered(): Promise<void> {
    return this.#retention.removeDelivered();
  }

  counts(): AppenderCounts {
    return {
      sizeBytes: this.#retention.sizeBytes,
      maxBytes: this.#retention.limitBytes,
      appendedEvents: this.#appendedEvents,
      syncs: this.#syncs,
      failedSyncs: this.#failedSyncs,
    };
  }

  /** Finishes the batches that are queued, and refuses later ones. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#disk.close();
    this.#directory.close();
    while (this.#running) await this.#running;
    await this.#retention.close();
    await this.#active.close();
    this.#stall.close();
  }

  /** Refuses the batches whose writing has not begun. */
  #refuseQueue(reason: string): void {
    for (const batch of this.#queue.splice(0)) batch.reject(new CannotKeep(reason));
  }

  #run(): void {
    this.#running ??= this.#commitAll();
  }

  async #commitAll(): Promise<void> {
    // The requests that are being handled in this turn join the first group.
    await Promise.resolve();
    this.#stall.begin();
    while (this.#queue.length > 0) {
      const group = await this.#takeGroup();
      if (group.length > 0) await this.#commitGroup(group);
      this.#stall.progress();
    }
    this.#stall.end();
    // In the turn that found the queue empty: a batch that is queued later starts a new run.
    this.#running = undefined;
  }

  /** Takes the batches that are written next off the queue, and refuses those for which there is no room. */
  async #takeGroup(): Promise<QueuedBatch[]> {
    const group: QueuedBatch[] = [];
    let groupBytes = 0;
    while (this.#queue.length > 0) {
      const batch = this.#queue[0];
      if (!batch || (group.length > 0 && groupBytes + batch.frameBytes > this.#groupLimitBytes)) break;
      this.#queue.shift();
      // The group may need a new segment, with its header.
      const neededBytes = groupBytes + batch.frameBytes + segmentHeaderBytes;
      const refusal = await this.#retention.makeRoom(neededBytes, batch.frameBytes);
      if (refusal !== undefined) {
        batch.reject(new CannotKeep(refusal));
        continue;
      }
      group.push(batch);
      groupBytes += batch.frameBytes;
    }
    return group;
  }

  /** @returns why no new segment could be started; undefined if one was */
  async #startSegment(): Promise<string | undefined> {
    try {
      await this.#roll();
      return undefined;
    } catch (error) {
      return this.#disk.failed(error);
    }
  }

  /** On a full disk, the reserve is used for the new segment's header if that lets the delivered segment go. */
  async #roll(): Promise<SegmentWriter> {
    try {
      return await this.#active.roll();
    } catch (error) {
      const isWorthIt = isOutOfSpace(error) && this.#retention.isNewestDelivered;
      if (!isWorthIt || !(await this.#options.reserve.release())) throw error;
      return this.#active.roll();
    }
  }

  async #commitGroup(group: readonly QueuedBatch[]): Promise<void> {
    try {
      await this.#write(group).catch((error: unknown) => this.#writeElsewhere(group, error));
    } catch (error) {
      const reason = this.#disk.failed(error);
      for (const batch of group) batch.reject(new CannotKeep(reason, { cause: error }));
      return;
    }
    this.#disk.recovered();
    for (const batch of group) batch.resolve();
    // Not later: the newest segment stays when it is delivered, and this one may take up most of the outbox.
    if (this.#active.isFull) await this.#startSegment();
  }

  async #write(group: readonly QueuedBatch[]): Promise<void> {
    const size = group.reduce((sum, batch) => sum + batch.frameBytes, 0);
    const events = group.reduce((sum, batch) => sum + batch.eventCount, 0);
    try {
      const writer = await this.#active.writerFor(size);
      await writer.commit(this.#framesOf(group, size));
      this.#syncs++;
      this.#publish(writer.segment, group, size);
    } catch (error) {
      this.#failedSyncs++;
      await this.#active.abandonIfUntrusted(events);
      throw error;
    }
  }

  /** Writes the group to a new segment, if that helps. @throws the error of the first write if it does not */
  async #writeElsewhere(group: readonly QueuedBatch[], error: unknown): Promise<void> {
    if (!(await this.#startSegmentAfter(error))) throw error;
    await this.#write(group);
  }

  /**
   * After a failed write: starts a new segment if the file may not become larger, or if the disk is full and a new segment
   * lets the delivered one go. @returns whether another write is worth trying
   */
  async #startSegmentAfter(error: unknown): Promise<boolean> {
    if (isFileTooLarge(error)) {
      if (!this.#active.limitSize()) return false;
      this.#options.log.warn(
        "a segment reached the largest file size that the system allows (ulimit -f); later segments end at this size",
      );
    } else if (!isOutOfSpace(error) || !this.#retention.isNewestDelivered) return false;
    if ((await this.#startSegment()) !== undefined) return false;
    await this.#retention.settled();
    return true;
  }

  /** In one turn: the synced events become readable, are counted as kept, and are pending for every output. */
  #publish(segment: Segment, group: readonly QueuedBatch[], size: number): void {
    for (const { eventCount } of group) this.#appendedEvents += eventCount;
    this.#active.publish(segment, group, size);
    for (const { receivedAt } of group)
      for (const cursor of this.#options.cursors()) cursor.appended(receivedAt);
  }

  #framesOf(group: readonly QueuedBatch[], size: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(size);
    let offset = 0;
    let firstSequence = this.#active.nextSequence;
    for (const batch of group) {
      offset = writeFrame(bytes, offset, { ...batch, firstSequence });
      firstSequence += batch.eventCount;
    }
    return bytes;
  }

  #replaceGoneSegment(): void {
    const path = this.#active.noteGone();
    if (path === undefined || this.#isClosed) return;
    this.#options.log.error("the active segment was removed or replaced; a new one is started", { path });
    // A commit that is under way ends in the old segment; the next one starts the new one.
    this.#startProbe();
  }

  /** @returns false if a commit is under way, which says as much about the disk as a probe */
  #startProbe(): boolean {
    return this.#runAlone(() => this.#probe());
  }

  /** Runs a task that uses the active segment. @returns false if a commit or another task is under way */
  #runAlone(task: () => Promise<void>): boolean {
    if (this.#running) return false;
    this.#stall.begin();
    this.#running = task().finally(() => {
      this.#stall.end();
      this.#running = undefined;
      if (this.#queue.length > 0) this.#run();
    });
    return true;
  }

  async #probe(): Promise<void> {
    try {
      const writer = await this.#active.writer();
      await writer.probe(probeBytes);
      this.#disk.recovered();
    } catch (error) {
      // One number is left out, so that the next segment does not overwrite this one if this one is empty.
      await this.#active.abandonIfUntrusted(1);
      this.#disk.failed(error);
      await this.#startSegmentAfter(error);
    }
  }
}
