import { Reader } from "maxmind";
import { type RecordFacts, readFacts } from "./database-layouts.ts";
import { assertRecord, DatabaseError, type Section } from "./database-record.ts";
import {
  checkTree,
  createBreathing,
  dataSeparatorBytes,
  sampleAddresses,
  type Tree,
} from "./database-tree.ts";

const metadataMarker = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
/** The longest that the specification allows. */
const maxMetadataBytes = 128 * 1024;
const maxTypeLength = 256;
/** The number of lookups tried before a database is used; they take about 50 ms. A small database needs fewer. */
const maxSamples = 4096;
const samplesPerNode = 4;

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
  assertRecord(section, section.start);
  const metadata = parseMetadata(bytes);
  const { databaseType: type, buildEpoch: buildTime } = metadata;
  if (metadata.binaryFormatMajorVersion !== 2) throw new DatabaseError("the version of its format is not 2");
  if (typeof type !== "string" || type === "" || type.length > maxTypeLength) {
    throw new DatabaseError("its metadata has no database_type");
  }
  if (Number.isNaN(buildTime.getTime())) throw new DatabaseError("its metadata has no build_epoch");
  const tree = treeOf(bytes, metadata, section.start - metadataMarker.length);
  const networkCount = await checkTree(tree);

  const lookUp = createLookup(bytes, tree);
  const read = (address: string) => readFacts(lookUp(address), type);
  const { ipVersion, nodeCount } = tree;
  const contents = known ?? (await trySample(tree, read));
  return { type, buildTime, ipVersion, sizeBytes: bytes.length, nodeCount, networkCount, ...contents, read };
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

function parseMetadata(bytes: Buffer): Reader<never>["metadata"] {
  try {
    return new Reader<never>(bytes).metadata;
  } catch (error) {
    throw new DatabaseError("its metadata is damaged", { cause: error });
  }
}

/** @param dataEnd the offset at which the data section ends and the metadata's marker begins */
function treeOf(bytes: Buffer, metadata: Reader<never>["metadata"], dataEnd: number): Tree {
  const { nodeCount, recordSize, ipVersion } = metadata;
  if (ipVersion !== 4 && ipVersion !== 6) throw new DatabaseError("its ip_version is neither 4 nor 6");
  if (recordSize !== 24 && recordSize !== 28 && recordSize !== 32) {
    throw new DatabaseError("its record_size is not 24, 28 or 32");
  }
  const treeBytes = (nodeCount * recordSize) / 4;
  const dataStart = treeBytes + dataSeparatorBytes;
  if (!Number.isInteger(nodeCount) || nodeCount < 1 || dataStart > dataEnd) {
    throw new DatabaseError("its node_count does not fit its size");
  }
  if (bytes.subarray(treeBytes, dataStart).some((byte) => byte !== 0)) {
    throw new DatabaseError(
      "there are no zeros between its search tree and its data at the place that follows from node_count",
    );
  }
  return { bytes, nodeCount, recordSize, ipVersion, dataBytes: dataEnd - dataStart };
}

/** @returns a function that returns the decoded record of an address, or null */
function createLookup(bytes: Buffer, tree: Tree): (address: string) => unknown {
  const start = (tree.nodeCount * tree.recordSize) / 4 + dataSeparatorBytes;
  const data: Section = { bytes, start, end: start + tree.dataBytes };
  let isWalked = false;
  const reader = new Reader<never>(bytes, {
    cache: {
      // mmdb-lib asks its cache for a record, and then for everything that the record points at, before it decodes
      // any of it. At the first of these calls the whole record is checked. Nothing is cached.
      get: (offset) => {
        if (!isWalked) assertRecord(data, Number(offset));
        isWalked = true;
      },
      set: () => {},
    },
  });
  return (address) => {
    // In an IPv4 tree the bits of an IPv6 address would lead to the record of another address.
    if (tree.ipVersion === 4 && address.includes(":")) return null;
    isWalked = false;
    return reader.get(address);
  };
}

async function trySample(tree: Tree, read: DatabaseReader["read"]): Promise<RecordContents> {
  let hasNetworks = false;
  let hasPlaces = false;
  const breathe = createBreathing();
  for (const address of sampleAddresses(tree, Math.min(maxSamples, tree.nodeCount * samplesPerNode))) {
    await breathe();
    const facts = read(address);
    hasNetworks ||= facts.network !== undefined;
    hasPlaces ||= facts.place !== undefined;
  }
  return { hasNetworks, hasPlaces };
}
