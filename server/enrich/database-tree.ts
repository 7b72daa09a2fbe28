import { DatabaseError } from "./database-record.ts";

/** Zeros between the search tree and the data section. */
export const dataSeparatorBytes = 16;
/** How long a check may keep the event loop at a stretch. */
const maxSliceMs = 20;
const nodesBetweenClocks = 4096;

/** The search tree at the beginning of a database file. */
export interface Tree {
  readonly bytes: Buffer;
  readonly nodeCount: number;
  /** Bits of one side of a node. */
  readonly recordSize: 24 | 28 | 32;
  readonly ipVersion: 4 | 6;
  /** Length of the data section behind it. */
  readonly dataBytes: number;
}

/**
 * Looks at every node: each side has to be a node, "nothing", or a place in the data section. Lets other work run in between.
 * @returns how many networks have a record
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
 * Addresses spread over the tree, each in a network that has a record as far as there is one down its way. The same ones for
 * the same tree.
 */
export function* sampleAddresses(tree: Tree, count: number): Generator<string> {
  const random = createRandom();
  for (let i = 0; i < count; i++) {
    // Every other one from the IPv4 part: it is a 2^-96th of an IPv6 tree, and most of what is asked.
    const isIpv4 = tree.ipVersion === 4 || i % 2 === 0;
    const prefixLength = isIpv4 && tree.ipVersion === 6 ? 96 : 0;
    const bits = descend(tree, prefixLength, random);
    yield isIpv4 ? ipv4Text(bits.slice(prefixLength)) : ipv6Text(bits);
  }
}

/** Waits for the event loop's other work when too much time went by since it was last let run. */
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

/** Goes down by random turns, but never to an empty side when the other one isn't. @returns all bits of an address. */
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

/** One side of a node: a node, `nodeCount` for "nothing", or a place in the data section beyond that. */
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

/** Bits of Marsaglia's xorshift32. */
function createRandom(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 1;
  };
}
