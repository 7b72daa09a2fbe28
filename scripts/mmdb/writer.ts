import { DataSection, uint16, uint32, uint64, type Value } from "./values.ts";

export { double, float, int32, raw, uint16, uint32, uint64, type Value } from "./values.ts";

export interface DatabaseContent {
  /** The metadata's `database_type`. */
  readonly type: string;
  readonly ipVersion: 4 | 6;
  readonly recordSize: 24 | 28 | 32;
  /** CIDR → record. The more specific of nested networks wins; the later of equal ones wins. */
  readonly networks: readonly (readonly [cidr: string, record: Value])[];
  /** Seconds since 1970. */
  readonly buildEpoch: number;
  readonly languages: readonly string[];
  /** The English description in the metadata. */
  readonly description: string;
}

/** A side of a node: another node, the offset of a record in the data section, or nothing. */
type Side = Node | number | undefined;
interface Node {
  left: Side;
  right: Side;
}

const marker = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
const dataSeparatorBytes = 16;

/**
 * A MaxMind DB file (specification 2.0, https://maxmind.github.io/MaxMind-DB/): search tree, separator, data section,
 * metadata. Identical records are written once. An IPv6 tree has its IPv4 networks at ::/96; MaxMind's aliases of them
 * (::ffff:0:0/96, 2002::/16) are not written.
 */
export function writeDatabase(content: DatabaseContent): Uint8Array {
  const data = new DataSection();
  const root = buildTree(content, data);
  const nodes = nodesInOrder(root);
  return Buffer.concat([
    writeTree(nodes, content.recordSize),
    Buffer.alloc(dataSeparatorBytes),
    data.toBytes(),
    marker,
    writeMetadata(content, nodes.length),
  ]);
}

function buildTree({ networks, ipVersion }: DatabaseContent, data: DataSection): Node {
  const root: Node = { left: undefined, right: undefined };
  const offsets = new Map<string, number>();
  const placed = networks.map(([cidr, record]) => ({ ...parseCidr(cidr, ipVersion), record }));
  placed.sort((a, b) => a.length - b.length);
  for (const { bits, length, record } of placed) {
    const text = JSON.stringify(record);
    const offset = offsets.get(text) ?? data.append(record);
    offsets.set(text, offset);
    insert(root, bits.slice(0, length), offset);
  }
  return root;
}

function insert(root: Node, prefix: string, offset: number): void {
  let node = root;
  for (const bit of prefix.slice(0, -1)) {
    const side = bit === "0" ? "left" : "right";
    const next = node[side];
    if (typeof next === "object") node = next;
    else {
      // A wider network already has a record: both of its halves inherit it.
      const split: Node = { left: next, right: next };
      node[side] = split;
      node = split;
    }
  }
  node[prefix.endsWith("0") ? "left" : "right"] = offset;
}

function nodesInOrder(root: Node): Node[] {
  const nodes = [root];
  for (const node of nodes) {
    for (const side of [node.left, node.right]) if (typeof side === "object") nodes.push(side);
  }
  return nodes;
}

function writeTree(nodes: readonly Node[], recordSize: 24 | 28 | 32): Uint8Array {
  const numbers = new Map(nodes.map((node, number) => [node, number]));
  const recordOf = (side: Side) => {
    if (side === undefined) return nodes.length;
    if (typeof side === "number") return nodes.length + dataSeparatorBytes + side;
    return numbers.get(side) ?? 0;
  };
  const digits = recordSize / 4;
  const hex = nodes.map(({ left, right }) => {
    const leftDigits = recordOf(left).toString(16).padStart(digits, "0");
    const rightDigits = recordOf(right).toString(16).padStart(digits, "0");
    if (recordSize !== 28) return leftDigits + rightDigits;
    // The middle byte holds the four highest bits of both records.
    return leftDigits.slice(1) + leftDigits.slice(0, 1) + rightDigits.slice(0, 1) + rightDigits.slice(1);
  });
  return Buffer.from(hex.join(""), "hex");
}

function writeMetadata(content: DatabaseContent, nodeCount: number): Uint8Array {
  const metadata = new DataSection();
  metadata.append({
    binary_format_major_version: uint16(2),
    binary_format_minor_version: uint16(0),
    build_epoch: uint64(BigInt(content.buildEpoch)),
    database_type: content.type,
    description: { en: content.description },
    ip_version: uint16(content.ipVersion),
    languages: content.languages,
    node_count: uint32(nodeCount),
    record_size: uint16(content.recordSize),
  });
  return metadata.toBytes();
}

/** @returns the bits of the address as "0" and "1", and the prefix length */
function parseCidr(cidr: string, ipVersion: 4 | 6): { bits: string; length: number } {
  const [address = "", lengthText = ""] = cidr.split("/");
  const isIpv4 = !address.includes(":");
  if (!isIpv4 && ipVersion === 4) throw new Error(`cannot put ${cidr} into an IPv4 database`);
  const bits = isIpv4 ? ipv4Bits(address) : ipv6Bits(address);
  const length = Number(lengthText);
  if (!(length >= 1 && length <= bits.length)) throw new Error(`cannot read the prefix length of ${cidr}`);
  return isIpv4 && ipVersion === 6 ? { bits: "0".repeat(96) + bits, length: length + 96 } : { bits, length };
}

function ipv4Bits(address: string): string {
  return address
    .split(".")
    .map((octet) => Number(octet).toString(2).padStart(8, "0"))
    .join("");
}

function ipv6Bits(address: string): string {
  const [head = [], tail = []] = address.split("::").map((part) => part.split(":").filter((group) => group));
  const zeros = new Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0"))
    .join("");
}
