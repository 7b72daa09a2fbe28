import { join } from "node:path";
import type { Log } from "../telemetry/log.ts";
import type { DamagedFiles } from "./damaged-files.ts";
import { errorText, type FileLayer, readFully } from "./file-layer.ts";
import {
  type FrameHeader,
  formatVersion,
  frameHeaderBytes,
  newerVersionIn,
  regionAt,
  type SegmentHeader,
  segmentHeaderBytes,
  tryParseFrameHeader,
  tryParseSegmentHeader,
} from "./format.ts";
import { NewerFormat } from "./newer-format.ts";

/** An outbox writes no larger file. It is also the most memory that recovery needs for one file. */
export const maxSegmentFileBytes = 256 * 1024 * 1024;

/** A segment file as recovery found it. */
export interface FoundSegment {
  readonly name: string;
  readonly path: string;
  /** As its name says. */
  readonly firstSequence: number;
  readonly header: SegmentHeader | undefined;
  readonly frames: readonly FoundFrame[];
  readonly damagedRegions: readonly ByteRange[];
  readonly sizeBytes: number;
  /** It cannot be read, is too large for a segment, or its header contradicts its name. */
  readonly isForeign: boolean;
}

interface FoundFrame {
  readonly header: FrameHeader;
  /** The offset after the frame. */
  readonly end: number;
}

interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface ScanOptions {
  readonly dir: string;
  readonly files: FileLayer;
  readonly damaged: DamagedFiles;
  readonly log: Log;
}

/**
 * Reads a segment file, and copies its damaged regions to `damaged/`. A file that cannot be read is reported, not thrown.
 * @throws NewerFormat if a newer Loom wrote a part of it
 * @param minSequence a frame with a lower first sequence number does not belong there and counts as damaged
 */
export async function scanSegment(
  options: ScanOptions,
  name: string,
  firstSequence: number,
  minSequence: number,
): Promise<FoundSegment> {
  const path = join(options.dir, name);
  const empty = { name, path, firstSequence, header: undefined, frames: [], damagedRegions: [] };
  // The number of events in an unreadable file is not known, so the largest possible number is assumed.
  const unreadable = { ...empty, sizeBytes: maxSegmentFileBytes, isForeign: true };
  let content: Buffer | { readonly tooLargeBytes: number };
  try {
    content = await readContent(options.files, path);
  } catch (error) {
    options.log.error("cannot read a segment; it is moved to damaged/", { path, error: errorText(error) });
    return unreadable;
  }
  if (!Buffer.isBuffer(content)) return { ...unreadable, sizeBytes: content.tooLargeBytes };
  const sizeBytes = content.length;
  const newer = newerVersionIn(content);
  if (newer !== undefined) throw new NewerFormat(path, newer, formatVersion);
  const header = tryParseSegmentHeader(content);
  if (header && header.firstSequence !== firstSequence) return { ...unreadable, header, sizeBytes };
  const { frames, damagedRegions } = findRegions(content, header ? segmentHeaderBytes : 0, minSequence);
  // A file without a single frame is moved to `damaged/` as a whole, or removed.
  if (frames.length > 0) await keepDamagedBytes(options.damaged, name, content, damagedRegions);
  return { ...empty, header, frames, damagedRegions, sizeBytes, isForeign: false };
}

/** One past the last event of a segment, as far as its frames are readable. */
export function framesEnd({ frames, firstSequence }: FoundSegment): number {
  const last = frames.at(-1)?.header;
  return last ? last.firstSequence + last.eventCount : firstSequence;
}

async function readContent(
  files: FileLayer,
  path: string,
): Promise<Buffer | { readonly tooLargeBytes: number }> {
  const file = await files.open(path, "read");
  try {
    const sizeBytes = await file.size();
    if (sizeBytes > maxSegmentFileBytes) return { tooLargeBytes: sizeBytes };
    const bytes = Buffer.allocUnsafe(sizeBytes);
    return bytes.subarray(0, await readFully(file, bytes, 0));
  } finally {
    await file.close();
  }
}

function findRegions(
  content: Buffer,
  start: number,
  minSequence: number,
): { readonly frames: readonly FoundFrame[]; readonly damagedRegions: readonly ByteRange[] } {
  const frames: FoundFrame[] = [];
  const damagedRegions: ByteRange[] = [];
  const range = { firstSequence: minSequence, endSequence: Number.POSITIVE_INFINITY };
  for (let region = regionAt(content, start, range); region; ) {
    if (region.kind === "frame") {
      frames.push({ header: region.header, end: region.end });
      range.firstSequence = region.header.firstSequence + region.header.eventCount;
    } else damagedRegions.push({ start: region.start, end: region.end });
    region = regionAt(content, region.end, range);
  }
  return { frames, damagedRegions };
}

async function keepDamagedBytes(
  damaged: DamagedFiles,
  name: string,
  content: Buffer,
  regions: readonly ByteRange[],
): Promise<void> {
  for (const { start, end } of regions) {
    const bytes = content.subarray(start, end);
    if (!isTorn(bytes)) await damaged.keepBytes(name, start, bytes);
  }
}

/** Whether an interrupted write left these bytes. They hold no event that was kept. */
function isTorn(bytes: Buffer): boolean {
  const header = tryParseFrameHeader(bytes, 0);
  if (header) return frameHeaderBytes + header.payloadBytes > bytes.length;
  return bytes.length < frameHeaderBytes || bytes.every((byte) => byte === 0);
}
