import { expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deliveredLine, recordLine } from "../../../server/outputs/dead-letters/record.ts";
import { DeadLetterStore } from "../../../server/outputs/dead-letters/store.ts";
import { recordingLog } from "../../support/log.ts";
import { storedEvent } from "../../support/memory-outbox.ts";
import { canMountSmallDisks, fillDisk, mountSmallDisk } from "../../support/small-disk.ts";

const diskBytes = 1024 * 1024;
const maxBytes = 256 * 1024;
const canMount = canMountSmallDisks();

/** A record of about 2,000 bytes. */
const record = (sequence: number) => ({
  sequence,
  line: recordLine({ event: storedEvent(sequence), reason: "x".repeat(1900), output: "stub", time: 0 }),
});

async function openStore(dir: string) {
  const log = recordingLog();
  let overflowed = 0;
  const store = await DeadLetterStore.open({
    path: join(dir, "dead-letters-stub.ndjson"),
    maxBytes,
    log,
    onOverflow(records) {
      overflowed += records;
    },
  });
  return { store, log, overflowed: () => overflowed };
}

/** A store whose file has no room for another record. @returns also the sequence number of its last record */
async function fullStore(dir: string) {
  const opened = await openStore(dir);
  let last = 0;
  while (opened.store.hasRoomFor(record(last + 1).line.length))
    await opened.store.addRecords([record(++last)]);
  return { ...opened, last };
}

test.skipIf(!canMount)(
  "a full file on a full disk drops more records, until the new file fits the disk",
  async () => {
    using disk = mountSmallDisk(diskBytes);
    const { store, last, overflowed } = await fullStore(disk.folder);
    const filler = fillDisk(disk.folder);
    truncateSync(filler, 512 * 1024);
    writeFileSync(join(disk.folder, "other"), Buffer.alloc(diskBytes - 512 * 1024 - maxBytes - 64 * 1024));
    let failures = 0;
    const add = () => store.addRecords([record(last + 1)]).then(() => true);
    const isNoSpace = ({ code }: NodeJS.ErrnoException) => {
      expect(code).toBe("ENOSPC");
      failures++;
      return false;
    };
    while (!(await add().catch(isNoSpace))) expect(failures).toBeLessThan(10);
    expect(failures).toBeGreaterThan(0);
    expect(await store.read(last + 1)).toMatchObject({ event: storedEvent(last + 1) });
    expect(await store.read(last)).toMatchObject({ event: storedEvent(last) });
    expect([...store.sequences()].length + overflowed()).toBe(last + 1);
    await store.close();
  },
);

test.skipIf(!canMount)(
  "a full disk does not prevent the start, although the file has lines that are not needed",
  async () => {
    using disk = mountSmallDisk(diskBytes);
    const lines = record(1).line.toString() + record(2).line.toString() + deliveredLine([1], 0).toString();
    writeFileSync(join(disk.folder, "dead-letters-stub.ndjson"), lines);
    fillDisk(disk.folder);
    const { store, log } = await openStore(disk.folder);
    expect([...store.sequences()]).toEqual([2]);
    expect(log.lines.map(({ message }) => message)).toEqual([
      "cannot remove unused lines from the dead-letter file; they stay in it for now",
    ]);
    await store.close();
  },
);

test("a limit on the size of files makes the file full at that size", async () => {
  const dir = mkdtempSync(join(tmpdir(), "loom-store-"));
  const limit = 20_000;
  const probe = await open(join(dir, "probe"), "w");
  const prototype = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  const write = prototype.write;
  const limited = spyOn(prototype, "write").mockImplementation(function (
    this: FileHandle,
    ...args: readonly unknown[]
  ) {
    const [, , length, position] = args as [Buffer, number, number, number];
    if (position + length > limit)
      return Promise.reject(Object.assign(new Error("EFBIG: file too large, write"), { code: "EFBIG" }));
    return Reflect.apply(write, this, args);
  } as never);
  try {
    const { store, overflowed } = await openStore(dir);
    for (let sequence = 1; sequence <= 30; sequence++) await store.addRecords([record(sequence)]);
    const kept = [...store.sequences()];
    expect(kept.at(-1)).toBe(30);
    expect(kept.length + overflowed()).toBe(30);
    expect(kept.length).toBeGreaterThan(5);
    await store.close();
  } finally {
    limited.mockRestore();
    rmSync(dir, { recursive: true });
  }
});
