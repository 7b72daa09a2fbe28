/*
 * The outbox on disk, version 1. All numbers are little-endian; every checksum is CRC-32 (zlib's).
 *
 *   <dir>/lock                        held by the process that uses the directory
 *   <dir>/<20 digits>.seg             a segment, named by its first sequence number
 *   <dir>/cursors/<output>.cursor     the position of an output (cursor-file.ts)
 *   <dir>/reserve                     random bytes that only take up room (reserve.ts)
 *   <dir>/damaged/                    files and bytes that could not be read, for people to examine
 *
 *   segment = header (64 bytes), frames
 *     0 "\xffLOOMSEG" | 8 u32 version | 16 outbox id (16 bytes) | 32 u64 first sequence
 *     40 u64 kept end: one past the last event that had been kept when this segment was created
 *     48 u64 created at, ms | 60 u32 checksum of bytes 0-59
 *   frame = header (40 bytes), sensor id, "\n", one document per line     (one frame per batch)
 *     0 "\xffLF\x01" | 4 u32 bytes after the header | 8 u64 first sequence | 16 u64 received at, ms
 *     24 u32 events | 28 u16 bytes of the sensor id | 32 u32 checksum of what follows the header
 *     36 u32 checksum of bytes 0-35
 *
 * Invariants
 * - Only the run that created a segment appends to it. After a failed sync nothing more is appended to it: Linux may
 *   have marked pages as written that are not.
 * - Sequence numbers ascend along the frames. A gap within a segment, or between a segment's last frame and the next
 *   segment's "kept end", stands for damaged events: they were kept and cannot be read. No event between "kept end" and
 *   the next segment's first number was ever kept. Frames at or past the next segment's "kept end" were refused (503)
 *   and do not count.
 * - No UTF-8 text contains the byte 0xff, so no part of an event can look like the beginning of a frame. After damaged
 *   bytes a reader can therefore search for the next frame.
 * - The last segment is not removed before a newer one exists, because its name prevents sequence numbers from being
 *   used again.
 *
 * Later versions
 * - A version that this Loom does not know is refused at the start, if its checksum is right: its events would be lost.
 * - So every later version keeps this much. A segment begins with the same 8 bytes, has its version at 8, and the checksum
 *   of bytes 0-59 at 60. So does a slot of a cursor, with its own 8 bytes, in the same two places. A frame begins with
 *   "\xffLF" and its version as one byte, and has the checksum of bytes 0-35 at 36.
 *
 * A crash can lose frames that were not synced. Their batches were not answered with 204, and their events were not sent:
 * readers see synced frames only.
 *
 * CRC-32 detects every burst error of up to 32 bits, and all but 1 in 4 billion of other errors. It is available in every
 * language in which somebody might write a program to rescue events.
 */
import { crc32 } from "node:zlib";
import { tryParseBlockVersion } from "./newer-format.ts";

export const segmentHeaderBytes = 64;
export const frameHeaderBytes = 40;
/** The shortest line is "{}\n", so damaged bytes hold at most one event per three bytes. */
export const minLineBytes = 3;

/** Of segments, frames and cursors alike. */
export const formatVersion = 1;
const segmentMagic = Buffer.from("\xffLOOMSEG", "latin1");
const frameMagic = Buffer.from("\xffLF\x01", "latin1");
/** The frame's magic of every version, without the version. */
const anyFrameMagic = frameMagic.subarray(0, 3);
const maxSensorIdBytes = 0xffff;
const lineBreak = 0x0a;
/** Far above any real sequence number, and far below the first inexact one, so that a forged name cannot use them up. */
const maxFirstSequence = Number.MAX_SAFE_INTEGER / 2;

export interface SegmentHeader {
  readonly outboxId: string;
  readonly firstSequence: number;
  readonly keptEnd: number;
  readonly createdAt: number;
}

export interface FrameHeader {
  readonly payloadBytes: number;
  readonly firstSequence: number;
  readonly receivedAt: number;
  readonly eventCount: number;
  readonly sensorIdBytes: number;
  readonly payloadChecksum: number;
}

/** A part of a segment, from `start` up to `end`: one intact frame, or damaged bytes. */
export type Region = FrameRegion | { readonly kind: "damaged"; readonly start: number; readonly end: number };

export interface FrameRegion {
  readonly kind: "frame";
  readonly start: number;
  readonly end: number;
  readonly header: FrameHeader;
}

export function segmentName(firstSequence: number): string {
  return `${String(firstSequence).padStart(20, "0")}.seg`;
}

/** The first sequence number, from a file's name; undefined if a segment cannot have this name. */
export function tryParseSegmentName(name: string): number | undefined {
  const digits = /^(\d{20})\.seg$/.exec(name)?.[1];
  const firstSequence = Number(digits);
  return firstSequence >= 1 && firstSequence <= maxFirstSequence ? firstSequence : undefined;
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(segmentHeaderBytes);
  segmentMagic.copy(bytes);
  bytes.writeUInt32LE(formatVersion, 8);
  bytes.write(header.outboxId, 16, "hex");
  writeNumber(bytes, header.firstSequence, 32);
  writeNumber(bytes, header.keptEnd, 40);
  writeNumber(bytes, header.createdAt, 48);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}

/** The header at the beginning of `bytes`; undefined if there is no intact header of this version. */
export function tryParseSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (tryParseBlockVersion(bytes, segmentMagic) !== formatVersion) return undefined;
  return {
    outboxId: bytes.toString("hex", 16, 32),
    firstSequence: readNumber(bytes, 32),
    keptEnd: readNumber(bytes, 40),
    createdAt: readNumber(bytes, 48),
  };
}

/** The version of a segment's header, or of a frame in it, if it is newer than this Loom's; undefined if none is. */
export function newerVersionIn(bytes: Buffer): number | undefined {
  const version = tryParseBlockVersion(bytes, segmentMagic);
  if (version !== undefined && version > formatVersion) return version;
  // No text contains the byte 0xff, so this finds frames only.
  for (
    let start = bytes.indexOf(anyFrameMagic);
    start !== -1;
    start = bytes.indexOf(anyFrameMagic, start + 1)
  ) {
    const frameVersion = bytes[start + 3] ?? 0;
    if (frameVersion <= formatVersion || start + frameHeaderBytes > bytes.length) continue;
    if (bytes.readUInt32LE(start + 36) === crc32(bytes.subarray(start, start + 36))) return frameVersion;
  }
  return undefined;
}

export interface FrameContent {
  readonly firstSequence: number;
  readonly receivedAt: number;
  readonly eventCount: number;
  readonly sensorId: Buffer;
  readonly lines: Buffer;
}

export function frameBytes(sensorId: Buffer, lines: Buffer): number {
  return frameHeaderBytes + sensorId.length + 1 + lines.length;
}

/** Writes a frame into `target`. @returns the offset after it. @throws Error if the sensor id is longer than 65,535 bytes. */
export function writeFrame(target: Buffer, offset: number, frame: FrameContent): number {
  const { sensorId, lines } = frame;
  if (sensorId.length > maxSensorIdBytes)
    throw new Error(`BUG: a sensor id has ${sensorId.length} bytes; the format allows ${maxSensorIdBytes}`);
  const payloadStart = offset + frameHeaderBytes;
  const payloadEnd = offset + frameBytes(sensorId, lines);
  sensorId.copy(target, payloadStart);
  target[payloadStart + sensorId.length] = lineBreak;
  lines.copy(target, payloadStart + sensorId.length + 1);
  frameMagic.copy(target, offset);
  target.writeUInt32LE(payloadEnd - payloadStart, offset + 4);
  writeNumber(target, frame.firstSequence, offset + 8);
  writeNumber(target, frame.receivedAt, offset + 16);
  target.writeUInt32LE(frame.eventCount, offset + 24);
  target.writeUInt32LE(sensorId.length, offset + 28);
  target.writeUInt32LE(crc32(target.subarray(payloadStart, payloadEnd)), offset + 32);
  target.writeUInt32LE(crc32(target.subarray(offset, offset + 36)), offset + 36);
  return payloadEnd;
}

/** The frame header at `offset`; undefined if there is no intact one. */
export function tryParseFrameHeader(bytes: Buffer, offset: number): FrameHeader | undefined {
  if (offset + frameHeaderBytes > bytes.length) return undefined;
  if (!frameMagic.equals(bytes.subarray(offset, offset + 4))) return undefined;
  if (bytes.readUInt32LE(offset + 36) !== crc32(bytes.subarray(offset, offset + 36))) return undefined;
  return {
    payloadBytes: bytes.readUInt32LE(offset + 4),
    firstSequence: readNumber(bytes, offset + 8),
    receivedAt: readNumber(bytes, offset + 16),
    eventCount: bytes.readUInt32LE(offset + 24),
    sensorIdBytes: bytes.readUInt32LE(offset + 28),
    payloadChecksum: bytes.readUInt32LE(offset + 32),
  };
}

/** Whether `bytes` contain the whole frame of this header, intact. */
export function hasIntactPayload(bytes: Buffer, offset: number, header: FrameHeader): boolean {
  const start = offset + frameHeaderBytes;
  const end = start + header.payloadBytes;
  return end <= bytes.length && crc32(bytes.subarray(start, end)) === header.payloadChecksum;
}

/** The sequence numbers that a segment may contain. */
export interface SequenceRange {
  readonly firstSequence: number;
  /** One past the last. */
  readonly endSequence: number;
}

/** Whether a frame with this header belongs there. Another file may have been put in the place of a segment. */
export function isWithin(range: SequenceRange, { firstSequence }: FrameHeader): boolean {
  return firstSequence >= range.firstSequence && firstSequence < range.endSequence;
}

/**
 * The region at `offset`: a frame, or damaged bytes up to the next frame or the end; undefined at the end.
 * A frame whose first sequence number is not in the range does not belong there and counts as damaged.
 */
export function regionAt(bytes: Buffer, offset: number, range: SequenceRange): Region | undefined {
  if (offset >= bytes.length) return undefined;
  const frame = frameAt(bytes, offset, range);
  if (frame) return frame;
  for (let end = offset + 1; ; end++) {
    end = bytes.indexOf(frameMagic, end);
    if (end === -1) return { kind: "damaged", start: offset, end: bytes.length };
    if (frameAt(bytes, end, range)) return { kind: "damaged", start: offset, end };
  }
}

function frameAt(bytes: Buffer, start: number, range: SequenceRange): Region | undefined {
  const header = tryParseFrameHeader(bytes, start);
  if (!header || !isWithin(range, header) || !hasIntactPayload(bytes, start, header)) return undefined;
  return { kind: "frame", start, end: start + frameHeaderBytes + header.payloadBytes, header };
}

export interface FrameDocuments {
  readonly sensorId: string;
  readonly documents: readonly Buffer[];
}

/** The documents of the frame at `offset`, without their line breaks. They share the memory of `bytes`. */
export function frameDocuments(bytes: Buffer, offset: number, header: FrameHeader): FrameDocuments {
  const idStart = offset + frameHeaderBytes;
  const idEnd = idStart + header.sensorIdBytes;
  const documents: Buffer[] = [];
  for (let start = idEnd + 1; documents.length < header.eventCount; ) {
    const end = bytes.indexOf(lineBreak, start);
    if (end === -1) break;
    documents.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return { sensorId: bytes.toString("utf8", idStart, idEnd), documents };
}

export function writeNumber(bytes: Buffer, value: number, offset: number): void {
  bytes.writeBigUInt64LE(BigInt(value), offset);
}

export function readNumber(bytes: Buffer, offset: number): number {
  return Number(bytes.readBigUInt64LE(offset));
}
