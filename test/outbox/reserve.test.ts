import { expect, test } from "bun:test";
import { Reserve } from "../../server/outbox/reserve.ts";
import { recordingLog } from "../support/log.ts";
import { createMemoryDisk, type MemoryDisk } from "./memory-disk.ts";

const dir = "/outbox";
const path = `${dir}/reserve`;
const mebibyte = 1024 * 1024;

async function openReserve(files: MemoryDisk, sizeBytes: number) {
  const log = recordingLog();
  const reserve = new Reserve({ dir, files, log, sizeBytes });
  await reserve.open();
  return { log, reserve };
}

function sizeOnDisk({ entries }: MemoryDisk): number | undefined {
  return entries.get(path)?.content.length;
}

test("the file has the whole size, no part of it is zeros, and it is synced", async () => {
  const disk = createMemoryDisk();
  const { reserve } = await openReserve(disk, 2 * mebibyte + 1000);
  expect(reserve.missingBytes).toBe(2 * mebibyte + 1000);
  await reserve.make();
  expect(reserve.missingBytes).toBe(0);
  expect(sizeOnDisk(disk)).toBe(2 * mebibyte + 1000);
  expect(disk.entries.get(path)?.content.includes(Buffer.alloc(64))).toBe(false);
  expect(disk.calls.at(-1)?.operation).toBe("datasync");
});

test("the file of an earlier run is used, and one of another size is made again", async () => {
  const disk = createMemoryDisk();
  await (await openReserve(disk, 5000)).reserve.make();
  expect((await openReserve(disk, 5000)).reserve.missingBytes).toBe(0);
  const { reserve } = await openReserve(disk, 6000);
  expect(reserve.missingBytes).toBe(6000);
  await reserve.make();
  expect(sizeOnDisk(disk)).toBe(6000);
});

test("a released reserve is gone from the disk, which is logged, and a second release gives nothing", async () => {
  const disk = createMemoryDisk();
  const { reserve, log } = await openReserve(disk, 5000);
  await reserve.make();
  expect(await reserve.release()).toBe(true);
  expect(sizeOnDisk(disk)).toBeUndefined();
  expect(reserve.missingBytes).toBe(5000);
  expect(await reserve.release()).toBe(false);
  expect(log.lines.map(({ level }) => level)).toEqual(["warn"]);
});

test("a reserve that somebody removed counts as released", async () => {
  const disk = createMemoryDisk();
  const { reserve } = await openReserve(disk, 5000);
  await reserve.make();
  await disk.remove(path);
  expect(await reserve.release()).toBe(true);
  await reserve.make();
  expect(sizeOnDisk(disk)).toBe(5000);
});

test("a reserve that cannot be removed gives nothing and stays", async () => {
  const disk = createMemoryDisk();
  const { reserve } = await openReserve(disk, 5000);
  await reserve.make();
  disk.fault = (operation) => (operation === "remove" ? { code: "EIO" } : undefined);
  expect(await reserve.release()).toBe(false);
  expect(reserve.missingBytes).toBe(0);
});

for (const operation of ["create", "write", "datasync"] as const)
  test(`a reserve that fails at ${operation} takes up no room and is missing`, async () => {
    const disk = createMemoryDisk();
    const { reserve } = await openReserve(disk, 5000);
    disk.fault = (asked) => (asked === operation ? { code: "ENOSPC" } : undefined);
    await reserve.make();
    expect(sizeOnDisk(disk)).toBeUndefined();
    expect(reserve.missingBytes).toBe(5000);
  });

test("a limit on the size of files makes the reserve smaller", async () => {
  const disk = createMemoryDisk();
  const { reserve } = await openReserve(disk, 3 * mebibyte);
  let writes = 0;
  disk.fault = (operation) => (operation === "write" && ++writes > 2 ? { code: "EFBIG" } : undefined);
  await reserve.make();
  expect(sizeOnDisk(disk)).toBe(2 * mebibyte);
  expect(reserve.missingBytes).toBe(0);
});

test("a reserve of no bytes makes no file", async () => {
  const disk = createMemoryDisk();
  const { reserve } = await openReserve(disk, 0);
  await reserve.make();
  expect([sizeOnDisk(disk), await reserve.release()]).toEqual([undefined, false]);
});
