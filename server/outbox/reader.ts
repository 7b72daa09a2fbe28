import type { BatchBounds, OutboxReader, StoredBatch } from "../pipeline.ts";
import { SerialQueue } from "../serial-queue.ts";
import { AppendWaiters } from "./append-waiters.ts";
import { BatchCollector, type BatchCollectorOptions, type CollectedBatch } from "./batch-collector.ts";
import type { CursorFile } from "./cursor-file.ts";
import { errorText } from "./file-layer.ts";
import { OutputPosition } from "./output-position.ts";
import { eventsFrom, type Hole, type Segment } from "./segment.ts";

/** The output has passed these events without reading them. */
export interface PassedDamage extends Hole {
  /** Why they cannot be read. */
  readonly reason: string;
}

export interface ReaderOptions extends BatchCollectorOptions {
  readonly output: string;
  readonly cursorFile: CursorFile;
  readonly position: number;
  readonly borderEnd: number;
  /** Called in the turn in which the events stop counting as pending. */
  readonly onDamage: (damage: PassedDamage) => void;
  /** The position has moved, so there may be segments that every output has passed. */
  readonly onMoved: () => void;
}

/** What the outbox itself needs of a reader. */
export interface OutboxCursor extends OutboxReader {
  readonly output: string;
  /** The first event that is not acknowledged. */
  readonly position: number;
  /** Events that were removed before they were delivered, since the start. */
  readonly droppedEvents: number;
  /** Events that this output has passed because they could not be read, since the start. */
  readonly damagedEvents: number;
  /** Finds the oldest pending event and writes the cursor. @throws Error if the cursor cannot be written. */
  start(): Promise<void>;
  /** Events that were received at this time can be read now. Called in the turn in which they begin to count. */
  appended(receivedAt: number): void;
  /**
   * All events before `firstKept` are about to be removed. Called while their segments are still listed.
   * @param segmentAfter the oldest segment that is not removed
   */
  dropBefore(firstKept: number, segmentAfter: Segment | undefined): void;
  /** Segments were removed: the room that their files take up while they are open is given back. */
  closeRemoved(): void;
  close(): Promise<void>;
}

/**
 * One output's cursor over the segments. `next` and `acknowledge` run one after the other. A full outbox may call
 * `dropBefore` while one of them waits for the disk, so each of them compares `#position.drops`, or the position itself,
 * after every wait.
 */
export class Reader implements OutboxCursor {
  readonly output: string;
  readonly #segments: readonly Segment[];
  readonly #cursorFile: CursorFile;
  readonly #onDamage: ReaderOptions["onDamage"];
  readonly #onMoved: () => void;
  readonly #position: OutputPosition;
  readonly #collector: BatchCollector;
  readonly #waiters = new AppendWaiters();
  readonly #queue = new SerialQueue();
  /** The batch that `next` returned last; undefined once it is acknowledged or `next` is called again. */
  #handedOut: CollectedBatch | undefined;
  #oldestReceivedAt: number | undefined;
  /** The first time of receipt since an acknowledgement began to search for the oldest event. */
  #firstArrivalAt: number | undefined;

  constructor(options: ReaderOptions) {
    this.output = options.output;
    this.#segments = options.segments;
    this.#cursorFile = options.cursorFile;
    this.#onDamage = options.onDamage;
    this.#onMoved = options.onMoved;
    this.#position = new OutputPosition(options);
    this.#collector = new BatchCollector(options);
  }

  get position(): number {
    return this.#position.position;
  }

  get droppedEvents(): number {
    return this.#position.droppedEvents;
  }

  get damagedEvents(): number {
    return this.#position.damagedEvents;
  }

  async start(): Promise<void> {
    const { position, borderEnd } = this.#position;
    this.#oldestReceivedAt = await this.#collector.receivedAtFrom(position);
    await this.#cursorFile.write({ position, borderEnd });
  }

  next(bounds: BatchBounds): Promise<StoredBatch | undefined> {
    return this.#queue.run(() => this.#next(bounds));
  }

  acknowledge(batch: StoredBatch, onMoved?: () => void): Promise<void> {
    return this.#queue.run(() => this.#acknowledge(batch, onMoved));
  }

  takeBack(batch: StoredBatch): Promise<void> {
    return this.#queue.run(() => this.#takeBack(batch));
  }

  whenAppended(signal: AbortSignal): Promise<void> {
    return this.#waiters.wait(this.#end(), signal);
  }

  waiting() {
    let events = this.#position.undecidedEvents;
    let bytes = 0;
    for (const segment of this.#segments) {
      const count = eventsFrom(segment, this.position);
      if (count === 0) continue;
      events += count;
      bytes += this.#collector.unreadBytes(segment);
    }
    return { events, bytes, oldestReceivedAt: events > 0 ? this.#oldestReceivedAt : undefined };
  }

  appended(receivedAt: number): void {
    this.#firstArrivalAt ??= receivedAt;
    this.#oldestReceivedAt ??= receivedAt;
    this.#waiters.wake();
  }

  dropBefore(firstKept: number, segmentAfter: Segment | undefined): void {
    const handedOutEnd = this.#handedOut ? this.#handedOut.batch.lastSequence + 1 : 0;
    if (!this.#position.dropBefore(firstKept, this.#segments, handedOutEnd)) return;
    this.#collector.continueAt(undefined);
    this.#oldestReceivedAt = segmentAfter?.firstReceivedAt;
  }

  closeRemoved(): void {
    // An error of `close` changes nothing: the file was only read.
    void this.#queue.run(() => this.#collector.closeRemoved()).catch(() => {});
  }

  async close(): Promise<void> {
    await this.#queue.settled();
    this.#waiters.wake();
    await this.#cursorFile.close();
    await this.#collector.close();
  }

  async #next(bounds: BatchBounds): Promise<StoredBatch | undefined> {
    // The output did not acknowledge the last batch: what was dropped of it is not delivered any more.
    this.#position.countUndecidedAsDropped();
    this.#handedOut = undefined;
    for (;;) {
      const { drops, position: first, isInFlight } = this.#position;
      const end = isInFlight ? this.#position.borderEnd : this.#end();
      this.#firstArrivalAt = undefined;
      const collected = await this.#collector
        .collect({ first, end, bounds: isInFlight ? undefined : bounds })
        .catch((error: unknown) => {
          // If segments were dropped, the read may have failed because of that. The next attempt begins after them.
          if (drops === this.#position.drops) throw this.#cannotRead(error);
        });
      if (drops !== this.#position.drops) continue;
      if (collected) return this.#handOut(collected, isInFlight);
      // No event before `end` can be read. The position moves past them, so that they do not hold their segments.
      if (end > first) {
        this.#reportDamage(this.#position.skipTo(end, this.#segments));
        // The location may be before the damaged bytes, which need not be read again.
        this.#collector.continueAt(undefined);
        if (!isInFlight) this.#oldestReceivedAt = this.#firstArrivalAt;
        this.#onMoved();
      }
      if (!isInFlight) {
        this.#waiters.foundNothing(end);
        return undefined;
      }
    }
  }

  async #handOut(collected: CollectedBatch, isInFlight: boolean): Promise<StoredBatch> {
    const { batch } = collected;
    // In the turn that compared `drops`: a later drop finds the batch in flight.
    this.#handedOut = collected;
    const before = this.#position.handOut(batch.lastSequence);
    if (isInFlight) return batch;
    const { position, borderEnd } = this.#position;
    try {
      await this.#cursorFile.write({ position, borderEnd });
    } catch (error) {
      this.#handedOut = undefined;
      this.#position.undoHandOut(before);
      throw this.#cannotMove(error);
    }
    return batch;
  }

  async #acknowledge(batch: StoredBatch, onMoved?: () => void): Promise<void> {
    const target = batch.lastSequence + 1;
    const acknowledged =
      this.#handedOut?.batch.lastSequence === batch.lastSequence ? this.#handedOut : undefined;
    if (!acknowledged && target > this.position)
      throw new Error(`BUG: events up to ${batch.lastSequence} acknowledged that were not handed out`);
    // Otherwise the whole batch was dropped, and the position has passed it.
    if (target > this.position) {
      // Before the cursor moves, because the disk may take long and the batch still counts as pending until then.
      this.#firstArrivalAt = undefined;
      const oldest = await this.#collector.receivedAtFrom(target, acknowledged?.locationAfter);
      try {
        await this.#cursorFile.write({ position: target, borderEnd: 0 });
      } catch (error) {
        throw this.#cannotMove(error);
      }
      // No wait from here to the end: in this turn the events change from pending to delivered.
      if (target >= this.position) {
        this.#collector.continueAt(acknowledged?.locationAfter);
        this.#oldestReceivedAt = oldest ?? this.#firstArrivalAt;
      }
    }
    if (acknowledged) {
      this.#handedOut = undefined;
      this.#reportDamage(this.#position.acknowledge(acknowledged.batch.events, target, this.#segments));
    }
    onMoved?.();
    this.#onMoved();
  }

  async #takeBack(batch: StoredBatch): Promise<void> {
    // Otherwise it is an older batch, which is not in flight any more.
    if (this.#handedOut?.batch.lastSequence !== batch.lastSequence) return;
    try {
      await this.#cursorFile.write({ position: this.position, borderEnd: 0 });
    } catch (error) {
      throw this.#cannotMove(error);
    }
    // Even if a part was dropped in the meantime: the rest has no border on disk, so it is not in flight.
    this.#position.forgetBorder();
    this.#position.countUndecidedAsDropped();
    this.#handedOut = undefined;
  }

  #reportDamage(holes: readonly Hole[]): void {
    for (const hole of holes) this.#onDamage({ ...hole, reason: this.#collector.damageReason(hole.segment) });
  }

  /** One past the last event that is stored. */
  #end(): number {
    return this.#segments.at(-1)?.endSequence ?? this.position;
  }

  #cannotRead(error: unknown): Error {
    return new Error(`outbox: cannot read the events for ${this.output}: ${errorText(error)}`, {
      cause: error,
    });
  }

  #cannotMove(error: unknown): Error {
    return new Error(`outbox: cannot write the cursor of ${this.output}: ${errorText(error)}`, {
      cause: error,
    });
  }
}
