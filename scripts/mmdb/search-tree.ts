import { ipv4Depth, type Network } from "./networks.ts";

/*
 * A side of a node is one number: 0 for nothing, the index of a node (the root, 0, is never on a side), or a record's number
 * with the highest bit set.
 */
const nothing = 0;
const recordBit = 0x8000_0000;

/**
 * The search tree of a MaxMind DB file. It takes 8 bytes per node while it is built, so that millions of networks fit into
 * memory.
 */
export class SearchTree {
  readonly #firstDepth: number;
  #sides = new Uint32Array(2 * 1024);
  #nodeCount = 1;

  constructor(ipVersion: 4 | 6) {
    this.#firstDepth = ipVersion === 4 ? ipv4Depth : 0;
  }

  /** Puts a record at a network, over everything that was there. An IPv4 tree takes only IPv4 networks. @param record below 2^31 */
  insert({ words, length }: Network, record: number): void {
    let node = 0;
    for (let depth = this.#firstDepth; depth < length - 1; depth++) {
      const at = 2 * node + bitOf(words, depth);
      const side = this.#sides[at] ?? nothing;
      if (isNode(side)) node = side;
      else {
        // A wider network already has a record: both of its halves inherit it.
        const split = this.#addNode(side);
        this.#sides[at] = split;
        node = split;
      }
    }
    this.#sides[2 * node + bitOf(words, length - 1)] = (recordBit | record) >>> 0;
  }

  /**
   * Makes the tree as small as it can be without a change of any lookup: a node whose sides are the same record, or nothing,
   * is replaced by that, and equal nodes become one with several parents. To be called once, after the last `insert`.
   */
  compact(): void {
    const sides = this.#sides;
    const replacements = new Uint32Array(this.#nodeCount);
    const replaced = (side: number) => (isNode(side) ? (replacements[side] ?? nothing) : side);
    const distinct = new DistinctNodes(sides, this.#nodeCount);
    // The nodes below a node have greater indexes, so they are final when it is that node's turn.
    for (let node = this.#nodeCount - 1; node >= 0; node--) {
      const left = replaced(sides[2 * node] ?? nothing);
      const right = replaced(sides[2 * node + 1] ?? nothing);
      sides[2 * node] = left;
      sides[2 * node + 1] = right;
      replacements[node] = left === right && !isNode(left) ? left : distinct.firstLike(node);
    }
  }

  /**
   * Writes the nodes, those nearer to the root first.
   * @param dataOffsets record → its offset in the data section
   * @param separatorBytes the number of bytes between the tree and the data section
   */
  write(recordSize: 24 | 28 | 32, dataOffsets: readonly number[], separatorBytes: number) {
    const order = this.#nodesInOrder();
    const numbers = new Uint32Array(this.#nodeCount);
    for (const [number, node] of order.entries()) numbers[node] = number;
    const nodeCount = order.length;
    const valueFor = (side: number): number => {
      if (side === nothing) return nodeCount;
      if (isNode(side)) return numbers[side] ?? 0;
      return nodeCount + separatorBytes + (dataOffsets[side & ~recordBit] ?? 0);
    };
    const bytes = Buffer.alloc((nodeCount * recordSize) / 4);
    let at = 0;
    for (const node of order) {
      const left = valueFor(this.#sides[2 * node] ?? nothing);
      const right = valueFor(this.#sides[2 * node + 1] ?? nothing);
      if (Math.max(left, right) >= 2 ** recordSize) {
        throw new Error(`the database is too large for records of ${recordSize} bits`);
      }
      at = writeNode(bytes, at, recordSize, left, right);
    }
    return { nodeCount, bytes };
  }

  #nodesInOrder(): Uint32Array {
    const order = new Uint32Array(this.#nodeCount);
    const isListed = new Uint8Array(this.#nodeCount);
    let count = 1;
    for (let next = 0; next < count; next++) {
      const node = order[next] ?? 0;
      for (const side of [this.#sides[2 * node] ?? nothing, this.#sides[2 * node + 1] ?? nothing]) {
        if (!isNode(side) || isListed[side]) continue;
        isListed[side] = 1;
        order[count++] = side;
      }
    }
    return order.subarray(0, count);
  }

  #addNode(bothSides: number): number {
    const node = this.#nodeCount++;
    if (2 * node >= this.#sides.length) {
      const larger = new Uint32Array(2 * this.#sides.length);
      larger.set(this.#sides);
      this.#sides = larger;
    }
    this.#sides.fill(bothSides, 2 * node, 2 * node + 2);
    return node;
  }
}

/** Finds nodes with the same sides: a hash table of node indexes, with linear probing. */
class DistinctNodes {
  readonly #sides: Uint32Array;
  /** 0 is free: the root is never looked for. */
  readonly #table: Uint32Array;

  constructor(sides: Uint32Array, nodeCount: number) {
    this.#sides = sides;
    this.#table = new Uint32Array(2 ** Math.ceil(Math.log2(2 * nodeCount + 2)));
  }

  /** @returns the first node of all calls that has the sides of this one */
  firstLike(node: number): number {
    const left = this.#sides[2 * node] ?? nothing;
    const right = this.#sides[2 * node + 1] ?? nothing;
    const mask = this.#table.length - 1;
    let at = (Math.imul(left, 0x9e37_79b1) ^ Math.imul(right, 0x85eb_ca6b)) >>> 0;
    for (at = (at ^ (at >>> 15)) & mask; ; at = (at + 1) & mask) {
      const known = this.#table[at] ?? 0;
      if (known === 0) {
        this.#table[at] = node;
        return node;
      }
      if (this.#sides[2 * known] === left && this.#sides[2 * known + 1] === right) return known;
    }
  }
}

function isNode(side: number): boolean {
  return side !== nothing && side < recordBit;
}

function bitOf(words: Network["words"], depth: number): number {
  return ((words[depth >>> 5] ?? 0) >>> (31 - (depth & 31))) & 1;
}

/** @returns the offset after the node */
function writeNode(bytes: Buffer, at: number, recordSize: 24 | 28 | 32, left: number, right: number): number {
  if (recordSize === 32) return bytes.writeUInt32BE(right, bytes.writeUInt32BE(left, at));
  if (recordSize === 24) return bytes.writeUIntBE(right, bytes.writeUIntBE(left, at, 3), 3);
  // The middle byte holds the four highest bits of both records.
  const middle = ((left >>> 24) << 4) | (right >>> 24);
  const afterLeft = bytes.writeUIntBE(left & 0xff_ffff, at, 3);
  return bytes.writeUIntBE(right & 0xff_ffff, bytes.writeUInt8(middle, afterLeft), 3);
}
