import { CannotKeep, type EnrichedBatch } from "../pipeline.ts";
import type { Log } from "../telemetry/log.ts";
import { errorText, type FileLayer } from "./file-layer.ts";
import { frameBytes, segmentHeaderBytes, writeFrame } from "./format.ts";
import type { OutboxCursor } from "./reader.ts";
import { maxSegmentFileBytes } from "./recovery.ts";
import { eventsFrom, type Segment } from "./segment.ts";
import { createSegment, type SegmentWriter } from "./segment-writer.ts";

export interface AppenderOptions {
  readonly dir: string;
  readonly files: FileLayer;
  readonly log: Log;
  readonly now: () => number;
  readonly outboxId: string;
  readonly maxBytes: number;
  readonly onFull: "reject" | "drop_oldest";
  readonly segmentBytes: number;
  /** In order; the appender adds and removes. */
  readonly segments: Segment[];
  readonly nextSequence: number;
  readonly keptEnd: number;
  readonly cursors: () => readonly OutboxCursor[];
}

export interface AppenderCounts {
  readonly sizeBytes: number;
  readonly maxBytes: number;
  /** Since the start; counted in the turn in which they begin to wait for the outputs. */
  readonly appendedEvents: number;
  readonly syncs: number;
  readonly failedSyncs: number;
  readonly lastSyncMs: number;
}

/** The writing half of the outbox: group commit, limits, and what comes and goes of segments. */
export interface Appender {
  /** Makes the first segment of this run. @returns its path; undefined: the disk does not let it, now. */
  start(): Promise<string | undefined>;
  append(batch: EnrichedBatch): Promise<void>;
  problem(): string | undefined;
  /** Removes the segments that every output is past. */
  removeDelivered(): Promise<void>;
  counts(): AppenderCounts;
  close(): Promise<void>;
}

/** Written and synced at once at most, save for a single larger batch. */
const maxGroupBytes = 4 * 1024 * 1024;
const maxFrameBytes = maxSegmentFileBytes - segmentHeaderBytes;
/** From here on `problem` says that the outbox fills up, so that load balancers turn away in time. */
const nearlyFullShare = 0.95;
/** After a failure the disk is tried at this interval: a balancer that turned away sends nothing to try it with. */
const probeIntervalMs = 1_000;
const probeBytes = 64 * 1024;

interface PendingBatch {
  readonly sensorId: Buffer;
  readonly lines: Buffer;
  readonly eventCount: number;
  readonly receivedAt: number;
  readonly frameBytes: number;
  resolve(): void;
  reject(error: CannotKeep): void;
}

export function createAppender(options: AppenderOptions): Appender {
  const { dir, files, log, maxBytes, segmentBytes, segments } = options;
  const groupLimitBytes = Math.min(maxGroupBytes, segmentBytes);
  let { nextSequence, keptEnd } = options;
  let active: SegmentWriter | undefined;
  const pending: PendingBatch[] = [];
  let running: Promise<void> | undefined;
  let removing: Promise<void> = Promise.resolve();
  let failure: string | undefined;
  let probeTimer: ReturnType<typeof setTimeout> | undefined;
  let isFullLogged = false;
  let isClosed = false;
  let appendedEvents = 0;
  let syncs = 0;
  let failedSyncs = 0;
  let lastSyncMs = 0;

  function sizeBytes(): number {
    let size = 0;
    for (const segment of segments) size += segment.sizeBytes;
    return size;
  }

  function append(batch: EnrichedBatch): Promise<void> {
    if (isClosed) return Promise.reject(new CannotKeep("shutting down"));
    if (batch.eventCount === 0) return Promise.resolve();
    const sensorId = Buffer.from(batch.sensorId);
    const { lines, eventCount } = batch;
    const receivedAt = options.now();
    return new Promise((resolve, reject) => {
      const size = frameBytes(sensorId, lines);
      pending.push({ sensorId, lines, eventCount, receivedAt, frameBytes: size, resolve, reject });
      run();
    });
  }

  function run(): void {
    running ??= commitAll();
  }

  async function commitAll(): Promise<void> {
    // Lets the requests of this moment join the first group.
    await Promise.resolve();
    while (pending.length > 0) {
      const group = await takeGroup();
      if (group.length > 0) await commitGroup(group);
    }
    // In the same turn as the look at what is pending: a batch that comes later starts a new run.
    running = undefined;
  }

  /** The batches to be written next, refused where there is no room for them. */
  async function takeGroup(): Promise<PendingBatch[]> {
    const group: PendingBatch[] = [];
    let groupBytes = 0;
    while (pending.length > 0) {
      const batch = pending[0];
      if (!batch || (group.length > 0 && groupBytes + batch.frameBytes > groupLimitBytes)) break;
      pending.shift();
      // With room for the header of a new segment.
      const needed = groupBytes + batch.frameBytes + segmentHeaderBytes;
      const refusal = await makeRoom(needed, batch.frameBytes);
      if (refusal !== undefined) {
        batch.reject(new CannotKeep(refusal));
        continue;
      }
      group.push(batch);
      groupBytes += batch.frameBytes;
    }
    return group;
  }

  /** @returns why there is no room; undefined: there is. */
  async function makeRoom(neededBytes: number, batchBytes: number): Promise<string | undefined> {
    if (batchBytes > maxFrameBytes || batchBytes + 2 * segmentHeaderBytes > maxBytes)
      return "batch larger than the outbox";
    while (sizeBytes() + neededBytes > maxBytes) {
      if (options.onFull === "reject") {
        if (!isFullLogged) log.error("outbox full; refusing batches", { sizeBytes: sizeBytes(), maxBytes });
        isFullLogged = true;
        return "outbox full";
      }
      try {
        // The newest is not removed before there is a newer one.
        if (segments.length < 2) await roll();
      } catch (error) {
        return failed(error);
      }
      const oldest = segments[0];
      if (!oldest || segments.length < 2) return "outbox full";
      dropOldest(oldest);
      await removing;
    }
    return undefined;
  }

  function dropOldest(oldest: Segment): void {
    const after = segments[1];
    const firstKept = after?.firstSequence ?? nextSequence;
    for (const cursor of options.cursors()) cursor.dropBefore(firstKept, after);
    log.warn("outbox full; the oldest events are removed", {
      segment: oldest.path,
      events: eventsFrom(oldest, 0),
    });
    remove([oldest]);
  }

  async function commitGroup(group: readonly PendingBatch[]): Promise<void> {
    const size = group.reduce((sum, batch) => sum + batch.frameBytes, 0);
    const events = group.reduce((sum, batch) => sum + batch.eventCount, 0);
    const startedAt = performance.now();
    try {
      const writer = await writerFor(size);
      await writer.commit(framesOf(group, size));
      lastSyncMs = performance.now() - startedAt;
      syncs++;
      publish(writer.segment, group, size, events);
    } catch (error) {
      failedSyncs++;
      const reason = failed(error);
      // Their frames may be on the disk after all: their numbers are not given out again.
      if (active && !active.isTrusted) {
        nextSequence += events;
        await seal();
      }
      for (const batch of group) batch.reject(new CannotKeep(reason, { cause: error }));
      return;
    }
    recovered();
    for (const batch of group) batch.resolve();
    // A batch as large as a segment must not stay, when it is delivered, because it is in the newest one.
    if (active && active.segment.readableBytes >= segmentBytes) await roll().catch(failed);
  }

  /** The synced frames become readable, all at once. */
  function publish(segment: Segment, group: readonly PendingBatch[], size: number, events: number): void {
    segment.readableBytes += size;
    segment.sizeBytes = segment.readableBytes;
    segment.firstReceivedAt ??= group[0]?.receivedAt;
    let first = nextSequence;
    nextSequence += events;
    keptEnd = nextSequence;
    segment.endSequence = nextSequence;
    appendedEvents += events;
    for (const { eventCount, receivedAt } of group) {
      for (const cursor of options.cursors()) cursor.appended(first, receivedAt);
      first += eventCount;
    }
    for (const cursor of options.cursors()) cursor.wake();
  }

  function framesOf(group: readonly PendingBatch[], size: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(size);
    let offset = 0;
    let firstSequence = nextSequence;
    for (const batch of group) {
      offset = writeFrame(bytes, offset, { ...batch, firstSequence });
      firstSequence += batch.eventCount;
    }
    return bytes;
  }

  async function writerFor(size: number): Promise<SegmentWriter> {
    const used = active?.segment.readableBytes ?? 0;
    if (active && (used === segmentHeaderBytes || used + size <= segmentBytes)) return active;
    return roll();
  }

  /**
   * Begins a new segment. @throws Error when it can't be made.
   * The one before is left for good, even then: a header that was half made may be on the disk after all, and it says
   * that nothing was kept past this point.
   */
  async function roll(): Promise<SegmentWriter> {
    if (active?.segment.firstSequence === nextSequence) return active;
    await seal();
    const madeAt = options.now();
    const header = { outboxId: options.outboxId, firstSequence: nextSequence, keptEnd, madeAt };
    const made = await createSegment(files, dir, header);
    const emptied = segments.filter(
      ({ firstSequence, endSequence }) => firstSequence === endSequence && firstSequence < nextSequence,
    );
    // An empty one of the same name was overwritten.
    const index = segments.findIndex(({ path }) => path === made.segment.path);
    if (index !== -1) segments.splice(index, 1);
    segments.push(made.segment);
    active = made;
    remove(emptied);
    void removeDelivered();
    return made;
  }

  async function seal(): Promise<void> {
    const sealed = active;
    active = undefined;
    // Everything in it that counts is synced: what close says changes nothing.
    await sealed?.close().catch(() => {});
  }

  function removeDelivered(): Promise<void> {
    const cursors = options.cursors();
    if (cursors.length === 0) return removing;
    const reached = Math.min(...cursors.map(({ position }) => position));
    remove(segments.slice(0, -1).filter(({ endSequence }) => endSequence <= reached));
    return removing;
  }

  function remove(gone: readonly Segment[]): void {
    if (gone.length === 0) return;
    for (const segment of gone) segments.splice(segments.indexOf(segment), 1);
    removing = removing.then(async () => {
      for (const { path } of gone)
        await files.remove(path).catch((error: unknown) => {
          log.warn("outbox: cannot remove a segment", { path, error: errorText(error) });
        });
      // A segment that came back after a crash is behind every cursor, and removed again.
      await files.syncDirectory(dir).catch(() => {});
    });
    if (sizeBytes() < maxBytes * nearlyFullShare && isFullLogged) {
      isFullLogged = false;
      log.info("outbox has room again; taking batches");
    }
  }

  function failed(error: unknown): string {
    const reason = `outbox: ${errorText(error)}`;
    if (failure === undefined) log.error("cannot keep batches", { reason });
    failure = reason;
    if (!isClosed) probeTimer ??= setTimeout(startProbe, probeIntervalMs);
    return reason;
  }

  function recovered(): void {
    if (failure === undefined) return;
    failure = undefined;
    clearTimeout(probeTimer);
    probeTimer = undefined;
    log.info("batches can be kept again");
  }

  function startProbe(): void {
    probeTimer = undefined;
    if (isClosed || failure === undefined) return;
    if (running) probeTimer = setTimeout(startProbe, probeIntervalMs);
    else
      running = probe().finally(() => {
        running = undefined;
        if (pending.length > 0) run();
      });
  }

  async function probe(): Promise<void> {
    try {
      const writer = active ?? (await roll());
      await writer.probe(probeBytes);
      recovered();
    } catch (error) {
      if (active && !active.isTrusted) {
        nextSequence++;
        await seal();
      }
      failed(error);
    }
  }

  return {
    async start() {
      try {
        return (await roll()).segment.path;
      } catch (error) {
        failed(error);
        return undefined;
      }
    },
    append,
    problem() {
      if (isClosed) return "shutting down";
      if (failure !== undefined) return failure;
      if (options.onFull === "drop_oldest") return undefined;
      const size = sizeBytes();
      if (size + segmentHeaderBytes >= maxBytes) return "outbox full";
      return size >= maxBytes * nearlyFullShare ? "outbox nearly full" : undefined;
    },
    removeDelivered,
    counts: () => ({ sizeBytes: sizeBytes(), maxBytes, appendedEvents, syncs, failedSyncs, lastSyncMs }),
    async close() {
      isClosed = true;
      clearTimeout(probeTimer);
      while (running) await running;
      await removing;
      await seal();
    },
  };
}
