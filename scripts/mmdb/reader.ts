import { Reader } from "maxmind";
import type { Network } from "./networks.ts";

/**
 * Every network of a MaxMind DB file with 24 bits per record, with its record, in the order of addresses.
 * @throws Error for a file with another record size, or for IPv4 only
 */
export function* networksIn(bytes: Buffer): Generator<readonly [Network, unknown]> {
  const reader = new Reader<never>(bytes);
  const { nodeCount, recordSize, ipVersion } = reader.metadata;
  if (recordSize !== 24 || ipVersion !== 6) throw new Error("cannot read this kind of MaxMind DB file");
  const records = new Map<number, unknown>();
  const stack = [{ node: 0, words: [0, 0, 0, 0] as Network["words"], length: 0 }];
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    const { node, words, length } = place;
    if (node < nodeCount) {
      for (const bit of [1, 0]) {
        const side = bytes.readUIntBE(node * 6 + bit * 3, 3);
        if (side !== nodeCount)
          stack.push({ node: side, words: withBit(words, length, bit), length: length + 1 });
      }
      continue;
    }
    // The same position in the data section is the same record, so few addresses have to be looked up.
    if (!records.has(node)) records.set(node, reader.get(addressText(words)));
    yield [{ words, length }, records.get(node)];
  }
}

function withBit(words: Network["words"], depth: number, bit: number): Network["words"] {
  if (bit === 0) return words;
  const changed: [number, number, number, number] = [...words];
  const at = depth >>> 5;
  changed[at] = ((changed[at] ?? 0) | (1 << (31 - (depth & 31)))) >>> 0;
  return changed;
}

function addressText(words: Network["words"]): string {
  return words.flatMap((word) => [(word >>> 16).toString(16), (word & 0xffff).toString(16)]).join(":");
}
