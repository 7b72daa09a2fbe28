import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type CursorState, readCursor, type StoredCursor, tryParseCursorFileName } from "./cursor-file.ts";
import { errorText, isMissing } from "./file-layer.ts";
import { minLineBytes, segmentHeaderBytes, tryParseSegmentName } from "./format.ts";
import { NewerFormat } from "./newer-format.ts";
import { eventsFrom, markDamaged, type Segment } from "./segment.ts";
import { type FoundSegment, framesEnd, type ScanOptions, scanSegment } from "./segment-scan.ts";

export interface RecoveryOptions extends ScanOptions {
  readonly cursorFolder: string;
  /** The names of the configured outputs. */
  readonly outputs: readonly string[];
}

export interface Recovered {
  readonly outboxId: string;
  /** The segments with readable events, in order. */
  readonly segments: Segment[];
  /** The sequence number of the next event: higher than every number that may have been sent to an output. */
  readonly nextSequence: number;
  /** One past the last event that was kept. */
  readonly keptEnd: number;
  /** By output, whether it is still configured or not. */
  readonly cursors: ReadonlyMap<string, StoredCursor>;
  /** Events that were kept and cannot be read. */
  readonly damagedEvents: number;
  /**
   * Removes empty segments, and moves files without a readable event to `damaged/`. It must not run before a newer
   * segment exists, whose name prevents sequence numbers from being used again.
   */
  cleanUp(newestPath: string): Promise<void>;
}

/** Everything in the directory that is named like a segment. */
interface FoundFiles {
  /** In the order of their names. */
  readonly found: readonly FoundSegment[];
  /** Files that end like a segment, but have no sequence number as their name. */
  readonly misnamed: readonly string[];
}

/** The segments of this outbox, and what they say about its events. */
interface RecoveredSegments extends Pick<Recovered, "segments" | "keptEnd" | "damagedEvents"> {
  /** The last segment file of this outbox, if it has readable events. */
  readonly last: Segment | undefined;
}

/**
 * Reads the whole directory.
 * @throws NewerFormat if a newer Loom wrote a part of it
 * @throws Error if the directory itself cannot be listed
 */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const files = await findFiles(options);
  const { found } = files;
  const cursors = await readCursors(options);
  const outboxId = chooseId(found, cursors.values());
  for (const [output, cursor] of cursors) {
    if (cursor.outboxId === outboxId) continue;
    options.log.warn("a cursor belongs to another outbox; the output starts at the oldest event", { output });
    cursors.delete(output);
  }
  const own = found.filter(
    ({ header, isForeign }) => !isForeign && (header === undefined || header.outboxId === outboxId),
  );
  const reached = positionOfAll(options.outputs, cursors);
  const { last, ...recovered } = recoverSegments(options, own, reached);
  if (last) await finishLastSegment(options, last);
  const unreadableEvents = countUnreadable(options, found, own, { reached, cursors });
  // The paths as they are now: delivered segments leave the list before `cleanUp` is called, and are removed already.
  const readable = recovered.segments.map(({ path }) => path);
  return {
    ...recovered,
    damagedEvents: recovered.damagedEvents + unreadableEvents,
    outboxId,
    nextSequence: nextSequenceAfter(found, cursors.values()),
    cursors,
    cleanUp: (newestPath) => cleanUp(options, files, own, new Set([newestPath, ...readable])),
  };
}

async function findFiles(options: RecoveryOptions): Promise<FoundFiles> {
  const names = (await options.files.list(options.dir)).filter((name) => name.endsWith(".seg")).sort();
  const found: FoundSegment[] = [];
  const misnamed: string[] = [];
  let minSequence = 1;
  for (const name of names) {
    const firstSequence = tryParseSegmentName(name);
    if (firstSequence === undefined) {
      misnamed.push(name);
      continue;
    }
    minSequence = Math.max(minSequence, firstSequence);
    const segment = await scanSegment(options, name, firstSequence, minSequence);
    found.push(segment);
    minSequence = Math.max(minSequence, framesEnd(segment));
  }
  return { found, misnamed };
}

async function readCursors(options: RecoveryOptions): Promise<Map<string, StoredCursor>> {
  const { cursorFolder, files, log } = options;
  const cursors = new Map<string, StoredCursor>();
  for (const name of await files.list(cursorFolder)) {
    const output = tryParseCursorFileName(name);
    if (output === undefined) continue;
    try {
      const cursor = await readCursor(files, join(cursorFolder, name));
      if (cursor) cursors.set(output, cursor);
      else log.warn("a cursor is damaged; the output starts at the oldest event", { output });
    } catch (error) {
      if (error instanceof NewerFormat) throw error;
      log.warn("cannot read a cursor; the output starts at the oldest event", {
        output,
        error: errorText(error),
      });
    }
  }
  return cursors;
}

/** The id in most of the files, and of equally frequent ones the later. A new id if no file has one. */
function chooseId(found: readonly FoundSegment[], cursors: Iterable<StoredCursor>): string {
  const votes = new Map<string, number>();
  const ids = [...cursors, ...found.flatMap(({ header }) => header ?? [])].map(({ outboxId }) => outboxId);
  for (const id of ids) votes.set(id, (votes.get(id) ?? 0) + 1);
  let best: string | undefined;
  for (const [id, count] of votes) if (best === undefined || count >= (votes.get(best) ?? 0)) best = id;
  return best ?? randomBytes(16).toString("hex");
}

/** The events before it were delivered to every output. 0 if an output has no cursor: it starts at the oldest event. */
function positionOfAll(outputs: readonly string[], cursors: ReadonlyMap<string, StoredCursor>): number {
  if (outputs.length === 0) return 0;
  return Math.min(...outputs.map((output) => cursors.get(output)?.position ?? 0));
}

/** @param reached damaged events before it do not count: they were delivered */
function recoverSegments(
  { log }: RecoveryOptions,
  own: readonly FoundSegment[],
  reached: number,
): RecoveredSegments {
  const segments: Segment[] = [];
  let damagedEvents = 0;
  let keptEnd = 1;
  let last: Segment | undefined;
  for (const [index, found] of own.entries()) {
    const segment = toSegment(found, own[index + 1]);
    const { firstSequence, endSequence } = segment;
    const isEmpty = endSequence === firstSequence;
    keptEnd = Math.max(keptEnd, isEmpty ? (found.header?.keptEnd ?? 0) : endSequence);
    const readable = eventsFrom(segment, 0);
    const undelivered = Math.max(0, endSequence - Math.max(firstSequence, reached));
    const damaged = undelivered - eventsFrom(segment, reached);
    if (damaged > 0) logDamage(log, found.name, damaged);
    damagedEvents += damaged;
    // Somebody restored it, or it could not be removed when it was delivered. Only the last one is there by design.
    if (readable > 0 && framesEnd(found) <= reached && index < own.length - 1)
      log.info("a delivered segment is still there; it is removed", { segment: found.name });
    if (readable > 0) segments.push(segment);
    last = readable > 0 ? segment : undefined;
  }
  return { segments, keptEnd, damagedEvents, last };
}

/**
 * Counts the events of files that cannot be read at all, as far as their neighbours and the cursors know of them. A file
 * between two readable segments is not counted: the first one's missing end counts already.
 */
function countUnreadable(
  { log }: RecoveryOptions,
  found: readonly FoundSegment[],
  own: readonly FoundSegment[],
  { reached, cursors }: { readonly reached: number; readonly cursors: ReadonlyMap<string, StoredCursor> },
): number {
  // Every event before the end of a batch that was handed out was kept.
  const handedOut = Math.max(
    0,
    ...[...cursors.values()].map((cursor) => Math.max(cursor.position, cursor.borderEnd)),
  );
  let events = 0;
  let countedTo = reached;
  for (const { name, firstSequence, header, isForeign } of found) {
    // A file whose header says something else than its name has nothing to do with these numbers.
    if (!isForeign || header) continue;
    const next = own.find((segment) => segment.firstSequence > firstSequence);
    if (next && own.some((segment) => segment.firstSequence < firstSequence)) continue;
    const end = next ? (next.header?.keptEnd ?? next.firstSequence) : handedOut;
    const first = Math.max(firstSequence, countedTo);
    if (end <= first) continue;
    logDamage(log, name, end - first);
    events += end - first;
    countedTo = end;
  }
  return events;
}

function logDamage(log: RecoveryOptions["log"], segment: string, events: number): void {
  log.error("skipped damaged events of a segment; they are not delivered", { segment, events });
}

/** The part of a segment that counts. The header of the next segment says where it ends. */
function toSegment(found: FoundSegment, next: FoundSegment | undefined): Segment {
  const { firstSequence, path, sizeBytes } = found;
  const keptEnd = next?.header && Math.max(firstSequence, next.header.keptEnd);
  const kept = found.frames.filter(({ header }) => keptEnd === undefined || header.firstSequence < keptEnd);
  const endSequence = keptEnd ?? framesEnd(found);
  const segment: Segment = {
    path,
    firstSequence,
    endSequence,
    readableBytes: kept.at(-1)?.end ?? segmentHeaderBytes,
    sizeBytes,
    firstReceivedAt: kept[0]?.header.receivedAt,
    damagedRanges: [],
  };
  let expected = firstSequence;
  for (const { header } of kept) {
    markDamaged(segment, expected, header.firstSequence);
    expected = header.firstSequence + header.eventCount;
  }
  markDamaged(segment, expected, endSequence);
  return segment;
}

/**
 * Cuts off the unfinished end of the last segment, and syncs the rest: the previous run may have written it without
 * syncing it, and only synced events are sent.
 */
async function finishLastSegment({ files, log }: RecoveryOptions, segment: Segment): Promise<void> {
  const { path, sizeBytes, readableBytes } = segment;
  const tornBytes = sizeBytes - readableBytes;
  if (tornBytes > 0) log.warn("cut off an unfinished frame", { path, size_bytes: tornBytes });
  try {
    const file = await files.open(path, "update");
    try {
      if (tornBytes > 0) await file.truncate(readableBytes);
      segment.sizeBytes = readableBytes;
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    // No event is lost: nothing is appended to this segment, and the header of the next one says where it ends.
    log.warn("cannot cut and sync the last segment; it is used as it is", { path, error: errorText(error) });
  }
}

/**
 * A sequence number that was not sent before, because Elasticsearch's ids and ClickHouse's deduplication tokens contain it.
 * Every number that was sent lies before a cursor's border or in a frame. A damaged region may have held as many events as
 * the shortest documents fit into it.
 */
function nextSequenceAfter(found: readonly FoundSegment[], cursors: Iterable<CursorState>): number {
  let next = 1;
  for (const { position, borderEnd } of cursors) next = Math.max(next, position, borderEnd);
  for (const segment of found) {
    let unreadable = segment.isForeign ? segment.sizeBytes : 0;
    for (const { start, end } of segment.damagedRegions) unreadable += end - start;
    next = Math.max(next, framesEnd(segment) + Math.ceil(unreadable / minLineBytes));
  }
  return next;
}

async function cleanUp(
  { dir, files, damaged, log }: RecoveryOptions,
  { found, misnamed }: FoundFiles,
  own: readonly FoundSegment[],
  inUse: ReadonlySet<string>,
): Promise<void> {
  async function moveToDamaged(name: string, reason: string): Promise<void> {
    log.error("a file is not used; it is moved to damaged/", { file: name, reason });
    await damaged.keepFile(join(dir, name), name);
  }

  async function removeEmpty(path: string): Promise<void> {
    await files.remove(path).catch((error: unknown) => {
      if (isMissing(error)) return;
      log.warn("cannot remove an empty segment; the next start tries again", {
        path,
        error: errorText(error),
      });
    });
  }

  for (const name of misnamed) await moveToDamaged(name, "its name is not that of a segment");
  for (const segment of found) {
    // The newest segment may have the name of an empty one.
    if (inUse.has(segment.path)) continue;
    if (segment.isForeign) await moveToDamaged(segment.name, "it cannot be read as a segment");
    else if (!own.includes(segment)) await moveToDamaged(segment.name, "it belongs to another outbox");
    else if (segment.damagedRegions.length > 0) await moveToDamaged(segment.name, "it has no readable frame");
    else await removeEmpty(segment.path);
  }
}
