import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CannotKeep } from "../../server/pipeline.ts";
import { canMountSmallDisks, fillDisk, mountSmallDisk } from "../support/small-disk.ts";
import { until } from "../support/until.ts";
import { batchOf, drain, openTestOutbox } from "./outboxes.ts";

/** The reserve is made again some seconds after it was used. */
setDefaultTimeout(60_000);

const mebibyte = 1024 * 1024;
const diskBytes = 4 * mebibyte;
const reserveBytes = 128 * 1024;
const canMount = canMountSmallDisks();
const full = "outbox: the disk is full";

/** An outbox whose segments are larger than its disk. */
function openOn(dir: string) {
  return openTestOutbox({ dir, segmentBytes: 16 * mebibyte, reserveBytes });
}

/** Appends batches of 50,000 bytes until one is refused. @returns how many were kept, and the reason of the refusal */
async function appendUntilRefused({ append }: Awaited<ReturnType<typeof openOn>>) {
  for (let kept = 0; ; kept++) {
    try {
      await append(batchOf(`{"n":${kept},"pad":"${"x".repeat(50_000)}"}`));
    } catch (error) {
      if (!(error instanceof CannotKeep)) throw error;
      return { kept, reason: error.reason };
    }
  }
}

test.skipIf(!canMount)(
  "a disk smaller than a segment is filled again after its events are delivered",
  async () => {
    using disk = mountSmallDisk(diskBytes);
    const outbox = await openOn(disk.folder);
    for (let round = 0; round < 3; round++) {
      const { kept, reason } = await appendUntilRefused(outbox);
      expect(kept).toBeGreaterThan(60);
      expect(reason).toBe(full);
      expect(outbox.problem()).toMatch(/^outbox: the disk is (nearly )?full$/);
      expect(await drain(outbox.reader("clickhouse"))).toHaveLength(kept);
      await until("there is room", () => outbox.problem() === undefined);
    }
    expect(outbox.counts().failedSyncs).toBe(0);
    await outbox.close();
  },
);

test.skipIf(!canMount)("a nearly full disk is a problem before batches are refused", async () => {
  using disk = mountSmallDisk(diskBytes);
  const outbox = await openOn(disk.folder);
  let problem: string | undefined;
  while (problem === undefined) {
    await outbox.append(batchOf("x".repeat(50_000)));
    problem = outbox.problem();
  }
  expect(problem).toBe("outbox: the disk is nearly full");
  await outbox.append(batchOf("{}"));
  await outbox.close();
});

test.skipIf(!canMount)(
  "on a disk without a free byte, the delivered segment is removed and batches are kept again",
  async () => {
    using disk = mountSmallDisk(diskBytes);
    const outbox = await openOn(disk.folder);
    for (let n = 0; n < 20; n++) await outbox.append(batchOf(`{"n":${n},"pad":"${"x".repeat(50_000)}"}`));
    fillDisk(disk.folder);
    // The look at the disk is up to a second old, so this batch may meet the full disk itself.
    await until("the disk is full", async () => {
      await outbox.append(batchOf("{}")).catch(() => {});
      return outbox.problem() !== undefined;
    });
    await drain(outbox.reader("clickhouse"));
    await until("there is room", () => outbox.problem() === undefined);
    await outbox.append(batchOf('{"after":1}'));
    expect(await drain(outbox.reader("clickhouse"))).toEqual(['{"after":1}']);
    await outbox.close();
  },
);

test.skipIf(!canMount)(
  "the reserve takes up room, is given back once, and is made again when there is room",
  async () => {
    using disk = mountSmallDisk(diskBytes);
    const outbox = await openOn(disk.folder);
    const path = join(disk.folder, "reserve");
    const bytesOnDisk = () => statSync(path).blocks * 512;
    expect(bytesOnDisk()).toBe(reserveBytes);
    const filler = fillDisk(disk.folder);
    expect(await outbox.releaseReserve()).toBe(true);
    writeFileSync(join(disk.folder, "letters"), Buffer.alloc(reserveBytes));
    expect(await outbox.releaseReserve()).toBe(false);
    rmSync(filler);
    await until("the reserve is there again", () => readdirSync(disk.folder).includes("reserve"));
    await outbox.close();
    expect(bytesOnDisk()).toBe(reserveBytes);
  },
);

test.skipIf(!canMount)("the start warns if the disk has less room than max_bytes", async () => {
  using disk = mountSmallDisk(diskBytes);
  const outbox = await openOn(disk.folder);
  const warning = outbox.log.lines.find(({ message }) =>
    message.startsWith("the disk has less room than max_bytes"),
  );
  expect(warning?.fields).toEqual({
    dir: disk.folder,
    max_bytes: 64 * mebibyte,
    disk_has_room_for_bytes: expect.any(Number),
  });
  expect(Number(warning?.fields.disk_has_room_for_bytes)).toBeLessThan(diskBytes - reserveBytes);
  await outbox.close();
});
