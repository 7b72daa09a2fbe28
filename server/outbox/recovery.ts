import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Log } from "../telemetry/log.ts";
import { type CursorState, readCursor, type StoredCursor, tryParseCursorFileName } from "./cursor-file.ts";
import type { DamagedFiles } from "./damaged-files.ts";
import { errorText, type FileLayer, readFully } from "./file-layer.ts";
import {
  type FrameHeader,
  frameHeaderBytes,
  minLineBytes,
  regionAt,
  type SegmentHeader,
  segmentHeaderBytes,
  tryParseFrameHeader,
  tryParseSegmentHeader,
  tryParseSegmentName,
} from "./format.ts";
import { eventsFrom, markDamaged, type Segment } from "./segment.ts";

/** A file of more than this was not made by an outbox; also what recovery holds in memory at most. */
export const maxSegmentFileBytes = 256 * 1024 * 1024;

export interface RecoveryOptions {
  readonly dir: string;
  readonly cursorFolder: string;
  readonly files: FileLayer;
  readonly damaged: DamagedFiles;
  readonly log: Log;
}

export interface Recovered {
  readonly outboxId: string;
  /** Those with events, in order. */
  readonly segments: Segment[];
  /** The next number to give out: past every number that can ever have been sent to an output. */
  readonly nextSequence: number;
  /** One past the last event that was kept. */
  readonly keptEnd: number;
  /** By output, whether it is still configured or not. */
  readonly cursors: ReadonlyMap<string, StoredCursor>;
  /** Events that were kept and can't be read. */
  readonly damagedEvents: number;
  /** Removes and sets aside what holds no events. Only after a newer segment exists: names keep numbers used. */
  cleanUp(newestPath: string): Promise<void>;
}

/** A segment file as it was found. */
interface FoundSegment {
  readonly name: string;
  readonly path: string;
  readonly firstSequence: number;
  readonly header: SegmentHeader | undefined;
  readonly frames: readonly FoundFrame[];
  readonly damagedRegions: readonly { readonly start: number; readonly end: number }[];
  readonly sizeBytes: number;
  /** It can't be read, or is too large to be a segment. */
  readonly isForeign: boolean;
}

interface FoundFrame {
  readonly header: FrameHeader;
  readonly end: number;
}

/** Reads the whole directory. @throws Error only when the directory itself can't be listed. */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const { dir, files, log, damaged } = options;
  const names = (await files.list(dir)).filter((name) => name.endsWith(".seg")).sort();
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
  const cursors = await readCursors(options);
  const outboxId = chooseId(found, cursors.values());
  for (const [output, cursor] of cursors) {
    if (cursor.outboxId === outboxId) continue;
    log.warn("outbox: this cursor belongs to another outbox; starting at the oldest event", { output });
    cursors.delete(output);
  }

  const own = found.filter(
    ({ header, isForeign }) => !isForeign && (header === undefined || header.outboxId === outboxId),
  );
  const segments: Segment[] = [];
  let damagedEvents = 0;
  let keptEnd = 1;
  for (const [index, segment] of own.entries()) {
    const judged = judgeSegment(segment, own[index + 1]);
    const isEmpty = judged.endSequence === judged.firstSequence;
    keptEnd = Math.max(keptEnd, isEmpty ? (segment.header?.keptEnd ?? 0) : judged.endSequence);
    const events = eventsFrom(judged, 0);
    const lost = judged.endSequence - judged.firstSequence - events;
    if (lost > 0) log.error("outbox: damaged records stepped over", { segment: segment.name, events: lost });
    damagedEvents += lost;
    if (events > 0) segments.push(judged);
    if (events > 0 && index === own.length - 1) await settleLast(judged);
  }
  return {
    outboxId,
    segments,
    nextSequence: nextSequenceAfter(found, cursors.values()),
    keptEnd,
    cursors,
    damagedEvents,
    async cleanUp(newestPath) {
      for (const name of misnamed) await setAside(name, "its name is no segment's");
      const live = new Set(segments.map(({ path }) => path));
      for (const segment of found) {
        // The newest may have the name of an empty one.
        if (live.has(segment.path) || segment.path === newestPath) continue;
        if (segment.isForeign) await setAside(segment.name, "it can't be read as a segment");
        else if (!own.includes(segment)) await setAside(segment.name, "it belongs to another outbox");
        else if (segment.damagedRegions.length > 0)
          await setAside(segment.name, "no record in it can be read");
        else await removeEmpty(segment.path);
      }
    },
  };

  async function setAside(name: string, reason: string): Promise<void> {
    log.error("outbox: a file is set aside in damaged/", { file: name, reason });
    await damaged.keepFile(join(dir, name), name);
  }

  /** Cuts off a torn end, and syncs what the run before wrote but did not sync: only synced events are sent. */
  async function settleLast(segment: Segment): Promise<void> {
    const { path, sizeBytes, readableBytes } = segment;
    const tornBytes = sizeBytes - readableBytes;
    if (tornBytes > 0) log.warn("outbox: an unfinished record is cut off", { path, bytes: tornBytes });
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
      // No event is wrong for it: nothing is appended to this segment, and the next one says where it ends.
      log.warn("outbox: cannot cut and sync the last segment", { path, error: errorText(error) });
    }
  }

  async function removeEmpty(path: string): Promise<void> {
    await files.remove(path).catch((error: unknown) => {
      log.warn("outbox: cannot remove an empty segment", { path, error: errorText(error) });
    });
  }
}

async function scanSegment(
  { dir, files, log, damaged }: RecoveryOptions,
  name: string,
  firstSequence: number,
  minSequence: number,
): Promise<FoundSegment> {
  const path = join(dir, name);
  const empty = { name, path, firstSequence, header: undefined, frames: [], damagedRegions: [] };
  let bytes: Buffer;
  try {
    const file = await files.open(path, "read");
    try {
      const sizeBytes = await file.size();
      if (sizeBytes > maxSegmentFileBytes) return { ...empty, sizeBytes, isForeign: true };
      bytes = Buffer.allocUnsafe(sizeBytes);
      bytes = bytes.subarray(0, await readFully(file, bytes, 0));
    } finally {
      await file.close();
    }
  } catch (error) {
    log.error("outbox: cannot read a segment", { path, error: errorText(error) });
    // Nobody knows how many events it holds: as many as could be.
    return { ...empty, sizeBytes: maxSegmentFileBytes, isForeign: true };
  }
  const header = tryParseSegmentHeader(bytes);
  if (header && header.firstSequence !== firstSequence)
    return { ...empty, header, sizeBytes: bytes.length, isForeign: true };
  const frames: FoundFrame[] = [];
  const damagedRegions: { start: number; end: number }[] = [];
  let expected = minSequence;
  let offset = header ? segmentHeaderBytes : 0;
  for (;;) {
    const region = regionAt(bytes, offset, expected);
    if (!region) break;
    offset = region.end;
    if (region.kind === "damaged") {
      damagedRegions.push({ start: region.start, end: region.end });
      continue;
    }
    frames.push({ header: region.header, end: region.end });
    expected = region.header.firstSequence + region.header.eventCount;
  }
  // A file without a single frame is set aside whole, or removed.
  for (const { start, end } of frames.length > 0 ? damagedRegions : []) {
    const region = bytes.subarray(start, end);
    if (!isTorn(region)) await damaged.keepBytes(name, start, region);
  }
  return {
    name,
    path,
    firstSequence,
    header,
    frames,
    damagedRegions,
    sizeBytes: bytes.length,
    isForeign: false,
  };
}

/** Bytes that a write left which never came to its end: they hold nothing that was acknowledged. */
function isTorn(region: Buffer): boolean {
  const header = tryParseFrameHeader(region, 0);
  if (header) return frameHeaderBytes + header.payloadBytes > region.length;
  return region.length < frameHeaderBytes || region.every((byte) => byte === 0);
}

function framesEnd({ frames, firstSequence }: FoundSegment): number {
  const last = frames.at(-1)?.header;
  return last ? last.firstSequence + last.eventCount : firstSequence;
}

async function readCursors({
  cursorFolder,
  files,
  log,
}: RecoveryOptions): Promise<Map<string, StoredCursor>> {
  const cursors = new Map<string, StoredCursor>();
  for (const name of await files.list(cursorFolder)) {
    const output = tryParseCursorFileName(name);
    if (output === undefined) continue;
    try {
      const cursor = await readCursor(files, join(cursorFolder, name));
      if (cursor) cursors.set(output, cursor);
      else log.warn("outbox: a cursor is damaged; starting at the oldest event", { output });
    } catch (error) {
      log.warn("outbox: cannot read a cursor; starting at the oldest event", {
        output,
        error: errorText(error),
      });
    }
  }
  return cursors;
}

/** The id that most files name, the later one where they are even; a new one where none does. */
function chooseId(found: readonly FoundSegment[], cursors: Iterable<StoredCursor>): string {
  const votes = new Map<string, number>();
  const ids = [...cursors, ...found.flatMap(({ header }) => header ?? [])].map(({ outboxId }) => outboxId);
  for (const id of ids) votes.set(id, (votes.get(id) ?? 0) + 1);
  let best: string | undefined;
  for (const [id, count] of votes) if (best === undefined || count >= (votes.get(best) ?? 0)) best = id;
  return best ?? randomBytes(16).toString("hex");
}

/** What of a segment counts, seen with the one after it. */
function judgeSegment(found: FoundSegment, next: FoundSegment | undefined): Segment {
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
 * No number that may have been sent is given out again: Elasticsearch's ids and ClickHouse's tokens are made of them.
 * What was sent lies before a cursor's border, or in a frame; where frames can't be read any more, before as many
 * numbers as fit into their bytes.
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
