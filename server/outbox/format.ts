/*
 * The outbox on disk, version 1. All numbers are little-endian; every checksum is CRC-32 (zlib's).
 *
 *   <dir>/lock                        held by the process that uses the directory
 *   <dir>/<20 digits>.seg             a segment, named by its first sequence number
 *   <dir>/cursors/<output>.cursor     how far an output is (cursor-file.ts)
 *   <dir>/damaged/                    what could not be read, for a person to look at
 *
 *   segment = header (64 bytes), frames
 *     0 "\xffLOOMSEG" | 8 u32 version | 16 outbox id (16 bytes) | 32 u64 first sequence
 *     40 u64 kept end: one past the last event that had been kept when this segment was made
 *     48 u64 made at, ms | 60 u32 checksum of bytes 0-59
 *   frame = header (40 bytes), sensor id, "\n", one document a line     (one frame a batch)
 *     0 "\xffLF\x01" | 4 u32 bytes after the header | 8 u64 first sequence | 16 u64 received at, ms
 *     24 u32 events | 28 u16 bytes of the sensor id | 32 u32 checksum of what follows the header
 *     36 u32 checksum of bytes 0-35
 *
 * Invariants
 * - A segment is only appended to, and only by the run that made it; after a failed sync not even by that one.
 * - Sequence numbers rise along the frames. A gap within a segment, or between a segment's last frame and the next
 *   segment's "kept end", is events that were kept and can't be read; from "kept end" to the next segment's first
 *   number nothing was ever kept. Frames at or past the next segment's "kept end" were refused (503) and don't count.
 * - The byte 0xff occurs in no UTF-8 text, so nothing that a sensor sends can look like the beginning of a frame:
 *   a reader that lost its way looks for the next frame and finds a true one.
 * - The last segment is never removed before a newer one exists: its name keeps numbers from being given out again.
 *
 * What a crash can lose: frames that were not synced, and these were not acknowledged. They were not sent either:
 * readers get synced frames only.
 *
 * CRC-32 finds every burst of up to 32 bits and all but 1 in 4 billion other damages, runs at memory speed here
 * (48 GB/s), and exists in every language that somebody might want to rescue events with.
 */
import { crc32 } from "node:zlib";

export const segmentHeaderBytes = 64;
export const frameHeaderBytes = 40;
/** The shortest line, "{}\n": so many bytes can't hold more than a third as many events. */
export const minLineBytes = 3;

const formatVersion = 1;
const segmentMagic = Buffer.from("\xffLOOMSEG", "latin1");
const frameMagic = Buffer.from("\xffLF\x01", "latin1");
const maxSensorIdBytes = 0xffff;
const lineBreak = 0x0a;
/** Far above any real number, and far below where a number stops being exact: a forged name can't use them up. */
const maxFirstSequence = Number.MAX_SAFE_INTEGER / 2;

export interface SegmentHeader {
  readonly outboxId: string;
  readonly firstSequence: number;
  readonly keptEnd: number;
  readonly madeAt: number;
}

export interface FrameHeader {
  readonly payloadBytes: number;
  readonly firstSequence: number;
  readonly receivedAt: number;
  readonly eventCount: number;
  readonly sensorIdBytes: number;
  readonly payloadChecksum: number;
}

/** A piece of a segment, from `start` up to `end`: a sound frame, or bytes that are none. */
export type Region =
  | { readonly kind: "frame"; readonly start: number; readonly end: number; readonly header: FrameHeader }
  | { readonly kind: "damaged"; readonly start: number; readonly end: number };

export function segmentName(firstSequence: number): string {
  return `${String(firstSequence).padStart(20, "0")}.seg`;
}

/** The first sequence number that a file's name says; undefined: it is not named like a segment. */
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
  writeNumber(bytes, header.madeAt, 48);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}

/** undefined: these bytes don't begin with a segment header of this version. */
export function tryParseSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < segmentHeaderBytes || !segmentMagic.equals(bytes.subarray(0, 8))) return undefined;
  if (bytes.readUInt32LE(60) !== crc32(bytes.subarray(0, 60))) return undefined;
  if (bytes.readUInt32LE(8) !== formatVersion) return undefined;
  return {
    outboxId: bytes.toString("hex", 16, 32),
    firstSequence: readNumber(bytes, 32),
    keptEnd: readNumber(bytes, 40),
    madeAt: readNumber(bytes, 48),
  };
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

/** Writes a frame into `target`. @returns the offset after it. @throws Error on a sensor id past 65,535 bytes. */
export function writeFrame(target: Buffer, offset: number, frame: FrameContent): number {
  const { sensorId, lines } = frame;
  if (sensorId.length > maxSensorIdBytes)
    throw new Error(`BUG: a sensor id of ${sensorId.length} bytes; at most ${maxSensorIdBytes} fit`);
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

/** The frame header at `offset`; undefined: there is none that is sound. */
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

/** Whether the whole frame of this header lies in `bytes`, undamaged. */
export function hasSoundPayload(bytes: Buffer, offset: number, header: FrameHeader): boolean {
  const start = offset + frameHeaderBytes;
  const end = start + header.payloadBytes;
  return end <= bytes.length && crc32(bytes.subarray(start, end)) === header.payloadChecksum;
}

/**
 * What lies at `offset`: a frame, or damaged bytes up to the next frame or the end; undefined at the end.
 * A frame whose numbers begin before `minSequence` does not belong there and counts as damaged.
 */
export function regionAt(bytes: Buffer, offset: number, minSequence: number): Region | undefined {
  if (offset >= bytes.length) return undefined;
  const frame = frameAt(bytes, offset, minSequence);
  if (frame) return frame;
  for (let end = offset + 1; ; end++) {
    end = bytes.indexOf(frameMagic, end);
    if (end === -1) return { kind: "damaged", start: offset, end: bytes.length };
    if (frameAt(bytes, end, minSequence)) return { kind: "damaged", start: offset, end };
  }
}

function frameAt(bytes: Buffer, start: number, minSequence: number): Region | undefined {
  const header = tryParseFrameHeader(bytes, start);
  if (!header || header.firstSequence < minSequence || !hasSoundPayload(bytes, start, header))
    return undefined;
  return { kind: "frame", start, end: start + frameHeaderBytes + header.payloadBytes, header };
}

export interface FrameDocuments {
  readonly sensorId: string;
  readonly documents: readonly Buffer[];
}

/** The documents of the frame whose header stands at `offset`, without their line breaks; they share its memory. */
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
