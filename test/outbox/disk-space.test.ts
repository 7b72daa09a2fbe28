import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { DiskSpace } from "../../server/outbox/disk-space.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const mebibyte = 1024 * 1024;

function createSpace() {
  const disk = {
    availableBytes: 100 * mebibyte,
    totalBytes: 200 * mebibyte,
    isFailing: false,
    sizeBytes: 10 * mebibyte,
    missingBytes: 0,
    made: 0,
    examined: 0,
  };
  const space = new DiskSpace({
    dir: "/outbox",
    files: {
      async space() {
        if (disk.isFailing) throw new Error("EIO");
        return disk;
      },
    },
    reserve: {
      get missingBytes() {
        return disk.missingBytes;
      },
      async make() {
        disk.made++;
        disk.missingBytes = 0;
      },
    },
    sizeBytes: () => disk.sizeBytes,
    onExamined: () => void disk.examined++,
  });
  return { disk, space };
}

/** Lets the timer run, and everything that it starts. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    jest.advanceTimersByTime(1_000);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

test("before the first look at the disk there is no limit", () => {
  expect(createSpace().space.capacityBytes).toBe(Number.POSITIVE_INFINITY);
});

test("the segments may take up what they take and what is free, less a margin", async () => {
  const { space } = createSpace();
  await space.examine();
  expect(space.capacityBytes).toBe(109 * mebibyte);
});

test("on a small disk the margin is a thirty-second of it", async () => {
  const { space, disk } = createSpace();
  Object.assign(disk, { availableBytes: 2 * mebibyte, totalBytes: 16 * mebibyte });
  await space.examine();
  expect(space.capacityBytes).toBe(11.5 * mebibyte);
});

test("a full disk has no room, and never less than none", async () => {
  const { space, disk } = createSpace();
  Object.assign(disk, { availableBytes: 0, sizeBytes: 0 });
  await space.examine();
  expect(space.capacityBytes).toBe(0);
});

test("the room for a missing reserve is not given to segments, and it is made if there is room", async () => {
  const { space, disk } = createSpace();
  Object.assign(disk, { missingBytes: 16 * mebibyte, availableBytes: 16 * mebibyte });
  await space.examine();
  expect([space.capacityBytes, disk.made]).toEqual([9 * mebibyte, 0]);
  disk.availableBytes = 17 * mebibyte;
  await space.examine();
  expect([space.capacityBytes, disk.made]).toEqual([10 * mebibyte, 1]);
});

test("the disk is examined once a second, also if that fails or the file system does not know", async () => {
  const { space, disk } = createSpace();
  await space.start();
  await pass(3);
  expect(disk.examined).toBe(4);
  disk.isFailing = true;
  await pass(1);
  Object.assign(disk, { isFailing: false, totalBytes: 0, availableBytes: 0 });
  await pass(1);
  expect(space.capacityBytes).toBe(109 * mebibyte);
  Object.assign(disk, { totalBytes: 200 * mebibyte, availableBytes: 2 * mebibyte });
  await pass(1);
  expect(space.capacityBytes).toBe(11 * mebibyte);
  space.close();
  await pass(3);
  expect(disk.examined).toBe(5);
});

test("a reserve that was just used is made again after 5 s, not before", async () => {
  const { space, disk } = createSpace();
  await space.start();
  disk.missingBytes = 16 * mebibyte;
  await pass(4);
  expect(disk.made).toBe(0);
  await pass(1);
  expect(disk.made).toBe(1);
});
