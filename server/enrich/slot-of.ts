/**
 * The slot of a number in a cache of 2^bits slots, in which each number replaces the one that was in its slot before. Neither a
 * hit nor an eviction costs any bookkeeping then. The numbers are spread evenly (Knuth's multiplicative hashing).
 */
export function slotOf(number: number, bits: number): number {
  return Math.imul(number, 0x9e37_79b1) >>> (32 - bits);
}
