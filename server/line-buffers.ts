/*
 * Memory for enriched batches, used again. A fresh buffer for each costs the kernel's zeroing of its pages and the
 * garbage collector's time: 0.2 to 0.4 µs an event, more than enrichment's own work. A buffer that is never given
 * back is simply collected.
 */

/** Smaller ones are cheap to make. */
const minReusedBytes = 64 * 1024;
/** What may lie unused: a few of the largest batches that the default limits allow. */
const maxFreeBytes = 16 * 1024 * 1024;
/** Lengths are rounded up, so that batches of nearly the same size can share. */
const granuleBytes = 256 * 1024;

/** Given back last, taken first: its memory is still in the processor's cache. */
const free: Buffer[] = [];
let freeBytes = 0;
const lent = new WeakMap<ArrayBufferLike, Buffer>();

/** A buffer of at least this length, with whatever was in it before. */
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
 * Gives back the buffer that these bytes are part of: nobody may look at them any more. Bytes from elsewhere, and
 * bytes given back already, are left alone.
 */
export function giveBackLineBuffer(bytes: Buffer): void {
  const buffer = lent.get(bytes.buffer);
  if (!buffer || buffer.length > maxFreeBytes) return;
  lent.delete(bytes.buffer);
  free.push(buffer);
  freeBytes += buffer.length;
  while (freeBytes > maxFreeBytes) freeBytes -= free.shift()?.length ?? 0;
}
