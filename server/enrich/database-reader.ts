import { type IpAddress, parseIpAddress } from "../ip-address.ts";
import { DatabaseError } from "./database-error.ts";
import { factMembers, type RecordFacts, readFacts } from "./database-layouts.ts";
import { RecordReader } from "./database-record.ts";
import { checkTree, createBreathing, sampleAddresses } from "./database-tree.ts";
import type { Section } from "./database-values.ts";
import { dataSeparatorBytes, dataStartOf, type Tree, TreeWalk } from "./database-walk.ts";
import { WantedMembers } from "./wanted-members.ts";

const metadataMarker = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
/** The longest that the specification allows. */
const maxMetadataBytes = 128 * 1024;
const maxTypeLength = 256;
/** The number of lookups tried before a database is used; they take about 50 ms. A small database needs fewer. */
const maxSamples = 4096;
const samplesPerNode = 4;
const metadataMembers = new WantedMembers({
  binary_format_major_version: {},
  build_epoch: {},
  database_type: {},
  ip_version: {},
  node_count: {},
  record_size: {},
});

export interface RecordContents {
  /** Whether the records contain networks, and places. */
  readonly hasNetworks: boolean;
  readonly hasPlaces: boolean;
}

/** A database that is in memory and was checked. */
export interface DatabaseReader extends RecordContents {
  /** `database_type`: "GeoLite2-City". */
  readonly type: string;
  readonly buildTime: Date;
  readonly ipVersion: 4 | 6;
  readonly sizeBytes: number;
  readonly nodeCount: number;
  /** The number of networks with a record. Those in a part of the tree that several nodes share count once. */
  readonly networkCount: number;
  /** @returns the offset of the address's record in the file, or 0 if it has none */
  find(address: IpAddress): number;
  /**
   * @param offset as returned by `find`, not 0
   * @throws DatabaseError if the record is damaged
   */
  readRecord(offset: number): RecordFacts;
  /**
   * @param address as returned by parsePublicAddress
   * @throws DatabaseError if the record of the address is damaged
   */
  read(address: string): RecordFacts;
}

/**
 * Checks a database file: its metadata, every node of its search tree, and a sample of its records. The event loop's
 * other work runs in between.
 *
 * @param bytes the whole file, which must not be changed afterwards
 * @param known what its records contain, if that is known: then none is tried
 * @throws DatabaseError
 */
export async function createDatabaseReader(bytes: Buffer, known?: RecordContents): Promise<DatabaseReader> {
  const section = metadataSection(bytes);
  const metadata = readMetadata(section);
  const { type, buildTime } = metadata;
  const tree = treeOf(bytes, metadata, section.start - metadataMarker.length);
  const networkCount = await checkTree(tree);

  const walk = new TreeWalk(tree);
  const start = dataStartOf(tree);
  const records = new RecordReader({ bytes, start, end: start + tree.dataBytes });
  const readRecord = (offset: number) => readFacts(records.decode(offset, factMembers), type);
  const contents = known ?? (await trySample(tree, walk, records, readRecord));
  const { ipVersion, nodeCount } = tree;
  return {
    ...{ type, buildTime, ipVersion, sizeBytes: bytes.length, nodeCount, networkCount, ...contents },
    find: (address) => walk.find(address),
    readRecord,
    read(address) {
      const offset = walk.find(parseIpAddress(address) ?? []);
      return offset === 0 ? readFacts(null, type) : readRecord(offset);
    },
  };
}

function metadataSection(bytes: Buffer): Section {
  const tail = bytes.subarray(-(maxMetadataBytes + metadataMarker.length));
  const marker = tail.lastIndexOf(metadataMarker);
  if (marker < 0) {
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    throw new DatabaseError(
      isGzip ? "it is compressed with gzip: unpack it first" : "it is not a MaxMind DB file, or is cut off",
    );
  }
  return { bytes, start: bytes.length - tail.length + marker + metadataMarker.length, end: bytes.length };
}

interface Metadata {
  readonly type: string;
  readonly buildTime: Date;
  readonly ipVersion: unknown;
  readonly nodeCount: unknown;
  readonly recordSize: unknown;
}

function readMetadata(section: Section): Metadata {
  const reader = new RecordReader(section);
  reader.check(section.start);
  const decoded = reader.decode(section.start, metadataMembers);
  if (typeof decoded !== "object" || decoded === null) throw new DatabaseError("its metadata is damaged");
  const fields: Readonly<Record<string, unknown>> = { ...decoded };
  const type = fields.database_type;
  const buildTime = new Date(Number(fields.build_epoch) * 1000);
  if (fields.binary_format_major_version !== 2) throw new DatabaseError("the version of its format is not 2");
  if (typeof type !== "string" || type === "" || type.length > maxTypeLength) {
    throw new DatabaseError("its metadata has no database_type");
  }
  if (Number.isNaN(buildTime.getTime())) throw new DatabaseError("its metadata has no build_epoch");
  return {
    ...{ type, buildTime },
    ipVersion: fields.ip_version,
    nodeCount: fields.node_count,
    recordSize: fields.record_size,
  };
}

/** @param dataEnd the offset at which the data section ends and the metadata's marker begins */
function treeOf(bytes: Buffer, metadata: Metadata, dataEnd: number): Tree {
  const { nodeCount, recordSize, ipVersion } = metadata;
  if (ipVersion !== 4 && ipVersion !== 6) throw new DatabaseError("its ip_version is neither 4 nor 6");
  if (recordSize !== 24 && recordSize !== 28 && recordSize !== 32) {
    throw new DatabaseError("its metadata has a record_size other than 24, 28 and 32");
  }
  if (typeof nodeCount !== "number" || nodeCount < 1)
    throw new DatabaseError("its metadata has no node_count");
  const treeBytes = (nodeCount * recordSize) / 4;
  const dataStart = treeBytes + dataSeparatorBytes;
  if (!Number.isInteger(nodeCount) || dataStart > dataEnd) {
    throw new DatabaseError("its node_count does not fit its size");
  }
  if (bytes.subarray(treeBytes, dataStart).some((byte) => byte !== 0)) {
    throw new DatabaseError(
      "there are no zeros between its search tree and its data at the place that follows from node_count",
    );
  }
  return { bytes, nodeCount, recordSize, ipVersion, dataBytes: dataEnd - dataStart };
}

/** Checks the records of some addresses as a whole. */
async function trySample(
  tree: Tree,
  walk: TreeWalk,
  records: RecordReader,
  readRecord: DatabaseReader["readRecord"],
): Promise<RecordContents> {
  let hasNetworks = false;
  let hasPlaces = false;
  const breathe = createBreathing();
  for (const address of sampleAddresses(tree, Math.min(maxSamples, tree.nodeCount * samplesPerNode))) {
    await breathe();
    const offset = walk.find(address);
    if (offset === 0) continue;
    records.check(offset);
    const facts = readRecord(offset);
    hasNetworks ||= facts.network !== undefined;
    hasPlaces ||= facts.place !== undefined;
  }
  return { hasNetworks, hasPlaces };
}
