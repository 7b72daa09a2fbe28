import { needsParsing } from "./needs-parsing.ts";
import { DamagedBlob, pack, unpack } from "./packed.ts";
import { hasOtherPayload, type PayloadCut, payloadCutOf } from "./payload-cut.ts";

/*
 * A chunk: some consecutive rows with their documents. Before compression (packed.ts) it has, all little-endian:
 *
 *   uint32       number of rows n
 *   uint32       bytes of the sensor ids
 *   float64[n]   time of receipt, in milliseconds since the epoch
 *   uint32[n]    bytes of the shortened document
 *   uint32[n]    position of the payload in the shortened document; 0xffffffff: the document is not shortened
 *   uint32[n]    bytes of the payload
 *   uint16[n]    sensor, an index into the sensor ids
 *   uint8[n]     1: a search of the bytes may miss text in this row (see needs-parsing.ts)
 *   bytes        the sensor ids, UTF-8, separated by line feeds
 *   bytes        for each row the shortened document, then the payload
 *
 * A shortened document lacks the hexadecimal text of its payload, which is stored as bytes (payload-cut.ts).
 */

/** A row as it is received. */
export interface StoreRow {
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly sensorId: string;
  /** The document, without a line break. */
  readonly document: Buffer;
}

export const maxRowsPerChunk = 512;
/** A chunk with more bytes of documents is closed. One larger document is a chunk of its own. */
export const maxBytesPerChunk = 4 * 1024 * 1024;
/** The largest event that the configuration allows, and room for one chunk before it. */
const maxUnpackedBytes = 300 * 1024 * 1024;

const headerBytes = 8;
const bytesPerRow = 8 + 4 + 4 + 4 + 2 + 1;
const notShortened = 0xffff_ffff;
const nothing = Buffer.alloc(0);

/** A row with what a chunk needs to know of it: a row may be stored in `tail` first, and in a chunk later. */
export interface ChunkRow extends StoreRow {
  readonly cut: PayloadCut | undefined;
  readonly payload: Buffer;
  readonly isParsed: boolean;
}

export function chunkRowOf({ receivedAt, sensorId, document }: StoreRow): ChunkRow {
  const cut = payloadCutOf(document);
  const payload = cut ? Buffer.from(document.toString("latin1", cut.start, cut.end), "hex") : nothing;
  const isParsed = hasOtherPayload(document, cut) || needsParsing(document, payload);
  return { receivedAt, sensorId, document, cut, payload, isParsed };
}

/** @param rows 1 to maxRowsPerChunk */
export function encodeChunk(rows: readonly ChunkRow[]): Buffer {
  const sensors = [...new Set(rows.map(({ sensorId }) => sensorId))];
  const sensorIds = Buffer.from(sensors.join("\n"));
  const indexOf = new Map(sensors.map((id, i) => [id, i]));
  const table = Buffer.alloc(headerBytes + rows.length * bytesPerRow);
  table.writeUInt32LE(rows.length, 0);
  table.writeUInt32LE(sensorIds.length, 4);
  const columns = columnOffsets(rows.length);
  const bodies: Buffer[] = [];
  for (const [i, { receivedAt, sensorId, document, cut, payload, isParsed }] of rows.entries()) {
    const payloadBytes = payload.length;
    table.writeDoubleLE(receivedAt, columns.receivedAt + i * 8);
    table.writeUInt32LE(document.length - payloadBytes * 2, columns.documentBytes + i * 4);
    table.writeUInt32LE(cut?.start ?? notShortened, columns.payloadAt + i * 4);
    table.writeUInt32LE(payloadBytes, columns.payloadBytes + i * 4);
    table.writeUInt16LE(indexOf.get(sensorId) ?? 0, columns.sensor + i * 2);
    table.writeUInt8(isParsed ? 1 : 0, columns.parsing + i);
    if (cut) bodies.push(document.subarray(0, cut.start), document.subarray(cut.end), payload);
    else bodies.push(document);
  }
  return pack(Buffer.concat([table, sensorIds, ...bodies]));
}

/** A chunk that was read. Rows are numbered from 0. */
export class Chunk {
  readonly rowCount: number;
  /** All documents, shortened, each followed by its payload: for searches over the whole chunk. */
  readonly body: Buffer;
  readonly #table: Buffer;
  readonly #columns: ColumnOffsets;
  readonly #sensors: readonly string[];
  /** Where each row begins in `body`, and where the last one ends. */
  readonly #starts: Uint32Array;

  /** @throws DamagedBlob */
  constructor(blob: Uint8Array) {
    const bytes = unpack(blob, maxUnpackedBytes);
    if (bytes.length < headerBytes) throw new DamagedBlob("a chunk has no header");
    this.rowCount = bytes.readUInt32LE(0);
    const tableEnd = headerBytes + this.rowCount * bytesPerRow;
    const bodyStart = tableEnd + bytes.readUInt32LE(4);
    if (this.rowCount > maxRowsPerChunk || bodyStart > bytes.length)
      throw new DamagedBlob(`a chunk of ${bytes.length} bytes cannot have ${this.rowCount} rows`);
    this.#table = bytes.subarray(0, tableEnd);
    this.#columns = columnOffsets(this.rowCount);
    this.#sensors = bytes.toString("utf8", tableEnd, bodyStart).split("\n");
    this.body = bytes.subarray(bodyStart);
    this.#starts = this.#readStarts();
  }

  receivedAt(row: number): number {
    return this.#table.readDoubleLE(this.#columns.receivedAt + row * 8);
  }

  sensorId(row: number): string {
    return this.#sensors[this.#table.readUInt16LE(this.#columns.sensor + row * 2)] ?? "";
  }

  /** Whether a search for text in `body` may miss text in this row. */
  needsParsing(row: number): boolean {
    return this.#table[this.#columns.parsing + row] === 1;
  }

  /** The document as it was received, in memory of its own. */
  document(row: number): Buffer {
    const start = this.#starts[row] ?? 0;
    const end = start + this.#documentBytes(row);
    const payloadAt = this.#table.readUInt32LE(this.#columns.payloadAt + row * 4);
    if (payloadAt === notShortened) return Buffer.from(this.body.subarray(start, end));
    const hex = this.body.subarray(end, this.#starts[row + 1]).toString("hex");
    return Buffer.concat([
      this.body.subarray(start, start + payloadAt),
      Buffer.from(hex, "latin1"),
      this.body.subarray(start + payloadAt, end),
    ]);
  }

  /** The row whose document or payload is at this position of `body`. */
  rowAt(position: number): number {
    let low = 0;
    let high = this.rowCount;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) <= position) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Where the row ends in `body`. */
  endOf(row: number): number {
    return this.#starts[row + 1] ?? this.body.length;
  }

  #documentBytes(row: number): number {
    return this.#table.readUInt32LE(this.#columns.documentBytes + row * 4);
  }

  #readStarts(): Uint32Array {
    const starts = new Uint32Array(this.rowCount + 1);
    let at = 0;
    for (let row = 0; row < this.rowCount; row++) {
      starts[row] = at;
      at += this.#documentBytes(row) + this.#table.readUInt32LE(this.#columns.payloadBytes + row * 4);
    }
    if (at !== this.body.length)
      throw new DamagedBlob(`the rows of a chunk have ${at} bytes instead of ${this.body.length}`);
    starts[this.rowCount] = at;
    return starts;
  }
}

type ColumnOffsets = ReturnType<typeof columnOffsets>;

function columnOffsets(rows: number) {
  const receivedAt = headerBytes;
  const documentBytes = receivedAt + rows * 8;
  const payloadAt = documentBytes + rows * 4;
  const payloadBytes = payloadAt + rows * 4;
  const sensor = payloadBytes + rows * 4;
  return { receivedAt, documentBytes, payloadAt, payloadBytes, sensor, parsing: sensor + rows * 2 };
}
