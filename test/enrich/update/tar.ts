import { gzipSync } from "node:zlib";

export interface TarMember {
  readonly name: string;
  readonly content?: Uint8Array;
  /** "0": a file, "5": a directory, "2": a symbolic link. */
  readonly type?: string;
  /** Replaces the size in the header. */
  readonly size?: string;
}

/** A tar archive in the ustar format. */
export function tarOf(members: readonly TarMember[]): Buffer {
  return Buffer.concat([...members.flatMap(blocksOf), Buffer.alloc(1024)]);
}

function blocksOf({ name, content = Buffer.alloc(0), type = "0", size }: TarMember): Uint8Array[] {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write("0000644\0", 100);
  header.write(size ?? `${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write(`${" ".repeat(8)}${type}`, 148);
  header.write("ustar\u000000", 257);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  return [header, content, Buffer.alloc(-content.length & 511)];
}

/** An archive like MaxMind's: a directory with texts and the database. */
export function maxmindArchive(database: Uint8Array, edition = "GeoLite2-City"): Buffer {
  const folder = `${edition}_20260101`;
  const archive = tarOf([
    { name: `${folder}/`, type: "5" },
    { name: `${folder}/COPYRIGHT.txt`, content: Buffer.from("Database and Contents Copyright (c)") },
    { name: `${folder}/${edition}.mmdb`, content: database },
    { name: `${folder}/LICENSE.txt`, content: Buffer.from("Use of this MaxMind product is governed by") },
  ]);
  return gzipSync(archive);
}
