import type { BatchBounds, OutboxReader, StoredBatch, StoredEvent } from "../pipeline.ts";
import type { CursorFile } from "./cursor-file.ts";
import { errorText, type FileLayer } from "./file-layer.ts";
import { frameDocuments, segmentHeaderBytes } from "./format.ts";
import { createFrameWindow } from "./frame-window.ts";
import { eventsFrom, type Segment } from "./segment.ts";

export interface ReaderOptions {
  readonly output: string;
  readonly files: FileLayer;
  readonly cursorFile: CursorFile;
  readonly position: number;
  readonly borderEnd: number;
  /** In order; the outbox changes it as segments come and go. */
  readonly segments: readonly Segment[];
  /** These bytes of a segment can't be read, and with them the events from `first` up to `end`. */
  readonly onDamage: (segment: Segment, offset: number, bytes: Buffer, first: number, end: number) => void;
  readonly onAcknowledged: () => void;
}

/** What the outbox itself needs of a reader. */
export interface OutboxCursor extends OutboxReader {
  readonly output: string;
  /** The first event that is not acknowledged. */
  readonly position: number;
  /** Events that were removed before they were delivered. */
  readonly droppedEvents: number;
  /** Finds its place and writes its cursor down. */
  start(): Promise<void>;
  /** A frame is readable now. */
  appended(firstSequence: number, receivedAt: number): void;
  wake(): void;
  /** What lies before `firstKept` is about to be removed; called while its segments are still listed. */
  dropBefore(firstKept: number, segmentAfter: Segment | undefined): void;
  close(): Promise<void>;
}

/** Where in a segment a frame begins. */
interface Place {
  readonly segment: Segment;
  readonly offset: number;
}

interface Collected {
  readonly batch: StoredBatch;
  /** The frame in which the next event lies, or the end of the last frame read. */
  readonly placeAfter: Place;
}

/** One output's cursor over the segments. `next` and `acknowledge` take place one after the other. */
export function createReader(options: ReaderOptions): OutboxCursor {
  const { segments, cursorFile } = options;
  const window = createFrameWindow(options.files);
  let { position, borderEnd } = options;
  let place: Place | undefined;
  let handedOut: Collected | undefined;
  /** Of the batch in flight, events whose segment was dropped meanwhile: delivered or dropped, it is not known yet. */
  let adrift = 0;
  let dropped = 0;
  let drops = 0;
  let oldestReceivedAt: number | undefined;
  /** When the first event came after an acknowledgement began to look for the oldest. */
  let arrivedAt: number | undefined;
  let emptyAt: number | undefined;
  const sleepers = new Set<() => void>();

  let turn: Promise<unknown> = Promise.resolve();
  function inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const result = turn.then(act);
    // Whoever asked gets the error; the next one in turn does not.
    turn = result.catch(() => {});
    return result;
  }

  const end = () => segments.at(-1)?.endSequence ?? position;

  async function next(bounds: BatchBounds): Promise<StoredBatch | undefined> {
    dropped += adrift;
    adrift = 0;
    handedOut = undefined;
    for (;;) {
      const dropsBefore = drops;
      const isInFlight = borderEnd > position;
      const limit = isInFlight ? borderEnd : end();
      const collected = await collect(isInFlight ? undefined : bounds, limit).catch((error: unknown) => {
        // What was read may have been removed: the next try begins behind it.
        if (drops === dropsBefore) throw cannotRead(error);
      });
      if (drops !== dropsBefore) continue;
      if (collected) {
        const { firstSequence, lastSequence } = collected.batch;
        const before = { position, borderEnd };
        handedOut = collected;
        position = firstSequence;
        if (isInFlight) return collected.batch;
        borderEnd = lastSequence + 1;
        try {
          await cursorFile.write({ position, borderEnd });
        } catch (error) {
          handedOut = undefined;
          // Unless segments were dropped meanwhile: then both have moved on.
          if (drops === dropsBefore) ({ position, borderEnd } = before);
          throw cannotMove(error);
        }
        return collected.batch;
      }
      // Nothing up to there can be read: damaged events must not hold their segment.
      if (limit > position) {
        position = limit;
        options.onAcknowledged();
      }
      if (!isInFlight) {
        emptyAt = limit;
        return undefined;
      }
    }
  }

  /** Reads events from `position` up to `end`, as many as the bounds allow; undefined: there are none. */
  async function collect(bounds: BatchBounds | undefined, end: number): Promise<Collected | undefined> {
    const events: StoredEvent[] = [];
    let bytesTaken = 0;
    let at = await findPlace();
    let expected = position;
    while (at) {
      const { segment, offset } = at;
      const found = await window.regionAt(segment, offset);
      if (!found) {
        const following = segments[segments.indexOf(segment) + 1];
        if (!following || following.firstSequence >= end) break;
        at = { segment: following, offset: segmentHeaderBytes };
        expected = Math.max(expected, following.firstSequence);
        continue;
      }
      const { region, bytes, bytesStart } = found;
      if (region.kind === "damaged") {
        await noteDamage(
          segment,
          region,
          bytes.subarray(region.start - bytesStart, region.end - bytesStart),
          expected,
        );
        at = { segment, offset: region.end };
        continue;
      }
      const { header } = region;
      if (header.firstSequence >= end) break;
      const { sensorId, documents } = frameDocuments(bytes, region.start - bytesStart, header);
      for (const [index, document] of documents.entries()) {
        const sequence = header.firstSequence + index;
        if (sequence < Math.max(position, expected)) continue;
        const isFull =
          bounds !== undefined &&
          events.length > 0 &&
          (events.length >= bounds.maxEvents || bytesTaken + document.length > bounds.maxBytes);
        if (isFull || sequence >= end) return finish(events, at);
        events.push({ sequence, sensorId, receivedAt: header.receivedAt, document });
        bytesTaken += document.length;
      }
      expected = Math.max(expected, header.firstSequence + header.eventCount);
      at = { segment, offset: region.end };
    }
    return at && finish(events, at);
  }

  function finish(events: readonly StoredEvent[], placeAfter: Place): Collected | undefined {
    const first = events[0];
    const last = events.at(-1);
    if (!first || !last) return undefined;
    return { batch: { firstSequence: first.sequence, lastSequence: last.sequence, events }, placeAfter };
  }

  async function noteDamage(
    segment: Segment,
    region: { readonly start: number; readonly end: number },
    bytes: Buffer,
    expected: number,
  ): Promise<void> {
    const following = await window.regionAt(segment, region.end);
    const nextSequence =
      following?.region.kind === "frame" ? following.region.header.firstSequence : segment.endSequence;
    options.onDamage(segment, region.start, bytes, expected, nextSequence);
  }

  /** The frame in which `position` lies, or the first one after it. */
  async function findPlace(): Promise<Place | undefined> {
    if (place && segments.includes(place.segment)) return place;
    const segment = segments.find(({ endSequence }) => endSequence > position) ?? segments.at(-1);
    if (!segment) return undefined;
    let offset = segmentHeaderBytes;
    for (;;) {
      const found = await window.regionAt(segment, offset);
      if (found?.region.kind !== "frame") break;
      const { header, end } = found.region;
      if (header.firstSequence + header.eventCount > position) break;
      offset = end;
    }
    place = { segment, offset };
    return place;
  }

  async function acknowledge(batch: StoredBatch, onMoved?: () => void): Promise<void> {
    const target = batch.lastSequence + 1;
    const acknowledged = handedOut?.batch.lastSequence === batch.lastSequence ? handedOut : undefined;
    if (!acknowledged && target > position)
      throw new Error(`BUG: events up to ${batch.lastSequence} acknowledged that were not handed out`);
    if (target > position) {
      // Looked for before the cursor moves: the disk may take its time, and meanwhile the batch still counts as waiting.
      arrivedAt = undefined;
      const oldest = await findOldest(target, acknowledged?.placeAfter);
      try {
        await cursorFile.write({ position: target, borderEnd: 0 });
      } catch (error) {
        throw cannotMove(error);
      }
      // From here to the end in one turn: at every moment each event counts once.
      if (target >= position) {
        position = target;
        borderEnd = 0;
        place = acknowledged?.placeAfter;
        oldestReceivedAt = oldest ?? arrivedAt;
      }
    }
    if (acknowledged) {
      handedOut = undefined;
      adrift = 0;
    }
    onMoved?.();
    options.onAcknowledged();
  }

  /** When the oldest event from `first` on was received; its frame is fetched, which `next` asks for anyway. */
  async function findOldest(first: number, knownPlace?: Place): Promise<number | undefined> {
    try {
      const at = knownPlace ?? (await findPlace());
      const found = at && (await window.regionAt(at.segment, at.offset));
      if (found?.region.kind === "frame") return found.region.header.receivedAt;
      return segments.find(({ firstSequence }) => firstSequence >= first)?.firstReceivedAt;
    } catch {
      // A number for people only; whoever reads events next gets the error.
      return undefined;
    }
  }

  function cannotRead(error: unknown): Error {
    return new Error(`outbox: cannot read the events for ${options.output}: ${errorText(error)}`, {
      cause: error,
    });
  }

  function cannotMove(error: unknown): Error {
    return new Error(`outbox: cannot write the cursor of ${options.output}: ${errorText(error)}`, {
      cause: error,
    });
  }

  function wake(): void {
    for (const wakeUp of [...sleepers]) wakeUp();
  }

  return {
    output: options.output,
    get position() {
      return position;
    },
    get droppedEvents() {
      return dropped;
    },

    next: (bounds) => inTurn(() => next(bounds)),
    acknowledge: (batch, onMoved) => inTurn(() => acknowledge(batch, onMoved)),

    whenAppended(signal) {
      const hasGrown = emptyAt !== undefined && end() > emptyAt;
      emptyAt = undefined;
      if (hasGrown || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wakeUp = () => {
          sleepers.delete(wakeUp);
          signal.removeEventListener("abort", wakeUp);
          resolve();
        };
        sleepers.add(wakeUp);
        signal.addEventListener("abort", wakeUp);
      });
    },

    waiting() {
      let events = adrift;
      let bytes = 0;
      for (const segment of segments) {
        const count = eventsFrom(segment, position);
        if (count === 0) continue;
        events += count;
        const readTo = place?.segment === segment ? place.offset : segmentHeaderBytes;
        bytes += segment.readableBytes - readTo;
      }
      return { events, bytes, oldestReceivedAt: events > 0 ? oldestReceivedAt : undefined };
    },

    async start() {
      oldestReceivedAt = await findOldest(position);
      await cursorFile.write({ position, borderEnd });
    },

    appended(firstSequence, receivedAt) {
      arrivedAt ??= receivedAt;
      if (oldestReceivedAt === undefined && position <= firstSequence) oldestReceivedAt = receivedAt;
    },

    wake,

    dropBefore(firstKept, segmentAfter) {
      if (position >= firstKept) return;
      let lost = 0;
      let lostInFlight = 0;
      const inFlightEnd = handedOut ? handedOut.batch.lastSequence + 1 : 0;
      for (const segment of segments) {
        if (segment.firstSequence >= firstKept) break;
        lost += eventsFrom(segment, position);
        if (inFlightEnd > position)
          lostInFlight +=
            eventsFrom(segment, position) - eventsFrom(segment, Math.max(position, inFlightEnd));
      }
      dropped += lost - lostInFlight;
      adrift += lostInFlight;
      drops++;
      position = firstKept;
      place = undefined;
      oldestReceivedAt = segmentAfter?.firstReceivedAt;
    },

    async close() {
      await turn;
      wake();
      await cursorFile.close();
      await window.close();
    },
  };
}
