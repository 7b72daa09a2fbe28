/*
 * Reuses the memory of enriched batches. A new buffer for each batch costs the time in which the kernel zeroes its pages
 * and the garbage collector frees it: 0.2 to 0.4 µs per event, more than the work of enrichment. A buffer that is never
 * given back is left to the garbage collector.
 */

/** Smaller buffers are cheap to allocate. */
const minReusedBytes = 64 * 1024;
/** The most memory that may be unused: enough for a few of the largest batches that the default limits allow. */
const maxFreeBytes = 16 * 1024 * 1024;
/** Lengths are rounded up to a multiple of this, so that batches of nearly the same size can share a buffer. */
const granuleBytes = 256 * 1024;

/** The buffer given back last is taken first: its memory is still in the processor's cache. */
const free: Buffer[] = [];
let freeBytes = 0;
const lent = new WeakMap<ArrayBufferLike, Buffer>();

/** @returns a buffer of at least this length, with arbitrary content */
export function takeLineBuffer(minBytes: number): Buffer {
  if (minBytes < minReusedBytes) return Buffer.allocUnsafeSlow(minBytes);
  const index = free.findLastIndex((buffer) => buffer.length >= minBytes);
  const [reused] = index < 0 ? [] : free.splice(index, 1);
  if (reused) freeBytes -= reused.length;
  const buffer = reused ?? Buffer.allocUnsafeSlow(Math.ceil(minBytes / granuleBytes) * granuleBytes);
  lent.set(buffer.buffer, buffer);
  return buffer;
}

/**
 * Gives back the buffer that these bytes are a part of. Nothing may read them afterwards. Bytes that are not from
 * `takeLineBuffer`, or that were given back already, are ignored.
 */
export function giveBackLineBuffer(bytes: Buffer): void {
  const buffer = lent.get(bytes.buffer);
  if (!buffer || buffer.length > maxFreeBytes) return;
  lent.delete(bytes.buffer);
  free.push(buffer);
  freeBytes += buffer.length;
  while (freeBytes > maxFreeBytes) freeBytes -= free.shift()?.length ?? 0;
}
