import { type Network, parseCidr } from "./networks.ts";
import { SearchTree } from "./search-tree.ts";
import { DataSection, uint16, uint32, uint64, type Value } from "./values.ts";

export { double, float, int32, raw, uint16, uint32, uint64, type Value } from "./values.ts";

export interface DatabaseMetadata {
  /** The metadata's `database_type`. */
  readonly type: string;
  readonly ipVersion: 4 | 6;
  readonly recordSize: 24 | 28 | 32;
  /** Seconds since 1970. */
  readonly buildEpoch: number;
  readonly languages: readonly string[];
  /** The English description in the metadata. */
  readonly description: string;
}

export interface DatabaseContent extends DatabaseMetadata {
  /** CIDR → record. The more specific of nested networks wins; the later of equal ones wins. */
  readonly networks: readonly (readonly [cidr: string, record: Value])[];
}

const marker = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
const dataSeparatorBytes = 16;

/** Builds a MaxMind DB file (specification 2.0, https://maxmind.github.io/MaxMind-DB/) from networks in any number. */
export class DatabaseBuilder {
  readonly #tree: SearchTree;
  readonly #data = new DataSection();
  /** Record → its offset in the data section. Identical records are written once. */
  readonly #offsets: number[] = [];
  readonly #numbers = new Map<Value, number>();
  readonly #numbersByText = new Map<string, number>();
  readonly #metadata: DatabaseMetadata;

  constructor(metadata: DatabaseMetadata) {
    this.#metadata = metadata;
    this.#tree = new SearchTree(metadata.ipVersion);
  }

  /** Puts a record at a network, over everything that was there. */
  add(network: Network, record: Value): void {
    this.#tree.insert(network, this.#numberOf(record));
  }

  /**
   * Search tree, separator, data section, metadata. Neighbouring networks with the same record become one, and equal
   * parts of the tree are written once. An IPv6 tree has its IPv4 networks at ::/96; MaxMind's aliases of them (::ffff:0:0/96, 2002::/16) are not written.
   */
  toBytes(): Uint8Array {
    this.#tree.compact();
    const { nodeCount, bytes } = this.#tree.write(
      this.#metadata.recordSize,
      this.#offsets,
      dataSeparatorBytes,
    );
    const separator = Buffer.alloc(dataSeparatorBytes);
    const metadata = writeMetadata(this.#metadata, nodeCount);
    return Buffer.concat([bytes, separator, this.#data.toBytes(), marker, metadata]);
  }

  /** The same object is found without its text, because there may be millions of networks and few records. */
  #numberOf(record: Value): number {
    const known = this.#numbers.get(record);
    if (known !== undefined) return known;
    const text = JSON.stringify(record);
    const number = this.#numbersByText.get(text) ?? this.#offsets.push(this.#data.append(record)) - 1;
    this.#numbersByText.set(text, number);
    this.#numbers.set(record, number);
    return number;
  }
}

/** A whole database from its content. */
export function writeDatabase({ networks, ...metadata }: DatabaseContent): Uint8Array {
  const builder = new DatabaseBuilder(metadata);
  const parsed = networks.map(([cidr, record]) => {
    const isIpv6 = cidr.includes(":");
    if (isIpv6 && metadata.ipVersion === 4) throw new Error(`cannot put ${cidr} into an IPv4 database`);
    return { network: parseCidr(cidr), record };
  });
  parsed.sort((a, b) => a.network.length - b.network.length);
  for (const { network, record } of parsed) builder.add(network, record);
  return builder.toBytes();
}

function writeMetadata(content: DatabaseMetadata, nodeCount: number): Uint8Array {
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
