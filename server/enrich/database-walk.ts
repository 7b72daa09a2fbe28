import type { IpAddress } from "../ip-address.ts";

/** The number of zero bytes between the search tree and the data section. */
export const dataSeparatorBytes = 16;
/** An IPv6 tree has its IPv4 addresses behind this many zero bits. */
export const ipv4Depth = 96;

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

/** The offset in the file at which the data section begins. */
export function dataStartOf({ nodeCount, recordSize }: Tree): number {
  return (nodeCount * recordSize) / 4 + dataSeparatorBytes;
}

/** One side of a node: a node, `nodeCount` for "nothing", or a greater number for a position in the data section. */
export function sideOf({ bytes, recordSize }: Tree, node: number, bit: number): number {
  if (recordSize === 24) return uint24(bytes, node * 6 + bit * 3);
  if (recordSize === 32)
    return byteAt(bytes, node * 8 + bit * 4) * 2 ** 24 + uint24(bytes, node * 8 + bit * 4 + 1);
  // The byte between the two sides has the four highest bits of both.
  const middle = byteAt(bytes, node * 7 + 3);
  return ((bit === 0 ? middle >>> 4 : middle & 0xf) << 24) | uint24(bytes, node * 7 + bit * 4);
}

/** Finds the records of addresses in a tree that was checked (checkTree). */
export class TreeWalk {
  readonly #tree: Tree;
  /** Where the first 16 bits of an IPv4 address lead, so that a walk begins with its second half. */
  readonly #ipv4Starts = new Uint32Array(2 ** 16);
  /** What has to be added to a side that is a position in the data section to get its offset in the file. */
  readonly #sideToOffset: number;

  constructor(tree: Tree) {
    this.#tree = tree;
    const zeroBits = tree.ipVersion === 6 ? ipv4Depth : 0;
    let root = 0;
    for (let depth = 0; depth < zeroBits && root < tree.nodeCount; depth++) root = sideOf(tree, root, 0);
    for (let high = 0; high < 2 ** 16; high++) this.#ipv4Starts[high] = walkGroup(tree, root, high);
    this.#sideToOffset = dataStartOf(tree) - dataSeparatorBytes - tree.nodeCount;
  }

  /** @returns the offset of the address's record in the file, or 0 if it has none */
  find(address: IpAddress): number {
    const isIpv4 = address.length === 2;
    const { nodeCount, ipVersion } = this.#tree;
    // In an IPv4 tree the bits of an IPv6 address would lead to the record of another address.
    if (ipVersion === 4 && !isIpv4) return 0;
    let node = isIpv4 ? (this.#ipv4Starts[address[0] ?? 0] ?? 0) : 0;
    for (let i = isIpv4 ? 1 : 0; i < address.length && node < nodeCount; i++)
      node = walkGroup(this.#tree, node, address[i] ?? 0);
    return node > nodeCount ? node + this.#sideToOffset : 0;
  }
}

/** Walks along the 16 bits of a group, from a node or from where a walk has ended. */
function walkGroup(tree: Tree, start: number, group: number): number {
  let node = start;
  for (let shift = 15; shift >= 0 && node < tree.nodeCount; shift--)
    node = sideOf(tree, node, (group >>> shift) & 1);
  return node;
}

function uint24(bytes: Buffer, offset: number): number {
  return (byteAt(bytes, offset) << 16) | (byteAt(bytes, offset + 1) << 8) | byteAt(bytes, offset + 2);
}

function byteAt(bytes: Buffer, offset: number): number {
  return bytes[offset] ?? 0;
}
