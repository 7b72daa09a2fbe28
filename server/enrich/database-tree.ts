import type { IpAddress } from "../ip-address.ts";
import { DatabaseError } from "./database-error.ts";
import { dataSeparatorBytes, ipv4Depth, sideOf, type Tree } from "./database-walk.ts";

/** How long a check may block the event loop at a time. */
const maxSliceMs = 20;
const nodesBetweenClocks = 4096;

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
export function* sampleAddresses(tree: Tree, count: number): Generator<IpAddress> {
  const random = createRandom();
  for (let i = 0; i < count; i++) {
    // Every second address is from the IPv4 part: that is only 2^-96 of an IPv6 tree, but most lookups are in it.
    const isIpv4 = tree.ipVersion === 4 || i % 2 === 0;
    const prefixLength = isIpv4 && tree.ipVersion === 6 ? ipv4Depth : 0;
    const bits = descend(tree, prefixLength, random);
    yield groupsOf(isIpv4 ? bits.slice(prefixLength) : bits);
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

function groupsOf(bits: readonly number[]): IpAddress {
  const groups = Array.from({ length: bits.length / 16 }, (_, group) =>
    bits.slice(group * 16, group * 16 + 16),
  );
  return groups.map((group) => group.reduce((number, bit) => number * 2 + bit, 0));
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
