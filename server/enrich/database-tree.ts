import { DatabaseError } from "./database-record.ts";

/** The number of zero bytes between the search tree and the data section. */
export const dataSeparatorBytes = 16;
/** How long a check may block the event loop at a time. */
const maxSliceMs = 20;
const nodesBetweenClocks = 4096;

/** The search tree at the beginning of a database file. */
export interface Tree {
  readonly bytes: Buffer;
  readonly nodeCount: number;
  /** The number of bits of one side of a node. */
  readonly recordSize: 24 | 28 | 32;
  readonly ipVersion: 4 | 6;
  /** The length of the data section after the tree. */
  readonly dataBytes: number;
}

/**
 * Checks every node: each side must be a node, "nothing", or a position in the data section. The event loop's other work
 * runs in between.
 * @returns the number of networks that have a record
 * @throws DatabaseError
 */
export async function checkTree(tree: Tree): Promise<number> {
  const firstData = tree.nodeCount + dataSeparatorBytes;
  const endOfData = firstData + tree.dataBytes;
  const breathe = createBreathing();
  let networks = 0;
  for (let node = 0; node < tree.nodeCount; node++) {
    if (node % nodesBetweenClocks === 0) await breathe();
    for (let bit = 0; bit < 2; bit++) {
      const side = sideOf(tree, node, bit);
      const isData = side >= firstData && side < endOfData;
      if (isData) networks++;
      else if (side > tree.nodeCount) {
        throw new DatabaseError(`node ${node} of its search tree points outside of the file`);
      }
    }
  }
  return networks;
}

/**
 * Yields addresses spread over the tree, in networks that have a record if the walk to them meets one. The same tree gives
 * the same addresses.
 */
export function* sampleAddresses(tree: Tree, count: number): Generator<string> {
  const random = createRandom();
  for (let i = 0; i < count; i++) {
    // Every second address is from the IPv4 part: that is only 2^-96 of an IPv6 tree, but most lookups are in it.
    const isIpv4 = tree.ipVersion === 4 || i % 2 === 0;
    const prefixLength = isIpv4 && tree.ipVersion === 6 ? 96 : 0;
    const bits = descend(tree, prefixLength, random);
    yield isIpv4 ? ipv4Text(bits.slice(prefixLength)) : ipv6Text(bits);
  }
}

/** @returns a function that lets the event loop's other work run if it was blocked for too long since the last time */
export function createBreathing(): () => Promise<void> | undefined {
  let sliceStart = performance.now();
  return () => {
    if (performance.now() - sliceStart < maxSliceMs) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        sliceStart = performance.now();
        resolve();
      }),
    );
  };
}

/**
 * Descends at random, but never to an empty side if the other side is not empty.
 * @returns all bits of an address
 */
function descend(tree: Tree, prefixLength: number, random: () => number): number[] {
  const bits = new Array<number>(tree.ipVersion === 4 ? 32 : 128).fill(0);
  let node = 0;
  for (let depth = 0; depth < bits.length && node < tree.nodeCount; depth++) {
    let bit = depth < prefixLength ? 0 : random();
    if (depth >= prefixLength && sideOf(tree, node, bit) === tree.nodeCount) bit = 1 - bit;
    bits[depth] = bit;
    node = sideOf(tree, node, bit);
  }
  return bits;
}

/** One side of a node: a node, `nodeCount` for "nothing", or a greater number for a position in the data section. */
function sideOf({ bytes, recordSize }: Tree, node: number, bit: number): number {
  const start = (node * recordSize) / 4;
  if (recordSize === 32) return bytes.readUInt32BE(start + 4 * bit);
  if (recordSize === 24) return bytes.readUIntBE(start + 3 * bit, 3);
  const middle = bytes.readUInt8(start + 3);
  return (bit === 0 ? middle >> 4 : middle & 0xf) * 2 ** 24 + bytes.readUIntBE(start + 4 * bit, 3);
}

function ipv4Text(bits: readonly number[]): string {
  return [0, 8, 16, 24].map((start) => numberOf(bits.slice(start, start + 8))).join(".");
}

function ipv6Text(bits: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, group) => numberOf(bits.slice(group * 16, group * 16 + 16)));
  return groups.map((group) => group.toString(16)).join(":");
}

function numberOf(bits: readonly number[]): number {
  return bits.reduce((number, bit) => number * 2 + bit, 0);
}

/** Returns random bits from Marsaglia's xorshift32. */
function createRandom(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 1;
  };
}
